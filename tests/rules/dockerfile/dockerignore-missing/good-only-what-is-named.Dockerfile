# context without .dockerignore: .git/objects 812 MB, package.json 2 kB, src/app.js 4 kB
FROM node:22
COPY package.json ./
COPY src/ src/
