# package.json: express, @scope/tool
FROM node:22
COPY package.json ./
# expect: pruned-dependency
RUN npm ci && npm uninstall --no-save @scope/tool@1
