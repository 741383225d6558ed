FROM node:22-slim AS unused
ARG NPM_TOKEN
FROM node:22-slim
RUN true
