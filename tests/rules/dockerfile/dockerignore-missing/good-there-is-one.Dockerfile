# context: .git/objects 812 MB, src/app.js 4 kB
# .dockerignore: .git
FROM node:22
COPY . .
