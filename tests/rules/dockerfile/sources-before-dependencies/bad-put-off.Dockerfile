FROM node:22-slim
WORKDIR /app
# expect: sources-before-dependencies
ONBUILD COPY . .
ONBUILD RUN npm ci
