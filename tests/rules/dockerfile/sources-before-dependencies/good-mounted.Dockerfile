FROM node:22
RUN --mount=type=bind,source=package.json,target=package.json npm ci
COPY . .
RUN npm prune
