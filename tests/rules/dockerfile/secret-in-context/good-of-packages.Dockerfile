# holds: web/node_modules/tls/test/key.js github-token
FROM node:22
COPY web /app
