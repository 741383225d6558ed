# context: .git/HEAD 20 B, src/app.js 1 kB
# .dockerignore: *.md
FROM node:22 AS unused
COPY . .
FROM node:22
COPY src /app
