# package.json: docs, express
FROM node:22
WORKDIR /app
COPY package.json ./
RUN npm ci
# expect: pruned-dependency
RUN find ./node_modules -type d \( -name docs -o -name test \) -prune -exec rm -rf {} +
