# context: .git/HEAD 20 B, web/node_modules/x.js 1 MB, .env.production 20 B
# .dockerignore: *.md
FROM node:22
COPY .git/HEAD /build/
COPY web/node_modules /app/node_modules
COPY .env.production /app/.env
