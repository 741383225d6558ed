# web/package.json: express, @scope/tool, lodash
FROM node:22
WORKDIR /app
COPY web/package.json ./
# expect: pruned-dependency
# expect: pruned-dependency
RUN npm ci && rm -rf node_modules/{express,typescript} node_modules/@scope/tool
