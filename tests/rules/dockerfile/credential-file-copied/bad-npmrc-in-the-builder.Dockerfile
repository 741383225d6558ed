FROM node:22-slim AS builder
# expect: credential-file-copied @3:6
COPY .npmrc package.json ./
RUN npm ci
FROM node:22-slim
COPY --from=builder /app /app
