# tools/package.json: lodash
FROM node:22
RUN npm install lodash && rm -rf node_modules/lodash
