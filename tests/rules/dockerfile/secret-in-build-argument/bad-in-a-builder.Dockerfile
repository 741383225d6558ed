FROM node:22 AS builder
# expect: secret-in-build-argument
ARG NPM_TOKEN
RUN npm ci
FROM node:22
COPY --from=builder /app /app
