FROM node:22 AS builder
WORKDIR /app
# expect: sources-before-dependencies
COPY src/ ./src/
# what is needed
COPY package.json package-lock.json ./
COPY package*.json ./
RUN npm ci
RUN npm run build
FROM node:22
COPY --from=builder /app /app
