# package.json: express, lodash
FROM node:22 AS pruner
WORKDIR /app
COPY package.json ./
# expect: pruned-dependency
RUN npm ci && rm -rf node_modules/lodash*
FROM node:22-slim
COPY --from=pruner /app/node_modules /app/node_modules
