# context: node_modules/a.js 1 MB, web/node_modules/a.js 1 MB, web/.venv/a.py 1 kB
# .dockerignore: node_modules
FROM node:22
# expect: dockerignore-lets-in
# expect: dockerignore-lets-in
COPY web /app
