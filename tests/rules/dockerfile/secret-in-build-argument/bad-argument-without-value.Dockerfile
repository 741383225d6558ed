FROM node:22-slim
# expect: secret-in-build-argument
ARG NPM_TOKEN
RUN npm ci
