FROM node:22-slim
ENV AUTH_TOKEN=""
