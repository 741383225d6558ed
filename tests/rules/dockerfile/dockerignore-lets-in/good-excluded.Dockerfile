# context: .git/HEAD 20 B, web/node_modules/x.js 1 MB, web/app.js 1 kB, .env 20 B
# .dockerignore: *, !web, **/node_modules
FROM node:22
COPY . .
