# package.json: lodash
FROM node:22 AS build
WORKDIR /app
COPY package.json ./
RUN npm ci && npm run build && rm -rf node_modules/lodash
FROM nginx:1.27
COPY --from=build /app/dist /usr/share/nginx/html
