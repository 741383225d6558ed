# package.json: docs
FROM node:22
COPY package.json ./
RUN npm ci && find node_modules -mindepth 2 -type d -name docs -exec rm -rf {} + \
    && find node_modules -type f -name docs -delete && find node_modules -name docs
