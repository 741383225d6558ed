# context: .git/objects 812 MB, web/node_modules/x/index.js 240 MB, web/app.js 1 kB
# .dockerignore: *.md
FROM node:22
# expect: dockerignore-lets-in
# expect: dockerignore-lets-in
COPY . /app
