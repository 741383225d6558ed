# package.json: express
FROM node:22
COPY package.json ./
RUN npm ci && npm prune --omit=dev && rm -rf node_modules/typescript node_modules/left-out node_modules/.cache
