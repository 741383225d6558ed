FROM node:22 AS a
RUN true
FROM node:22
COPY --from=a . .
RUN yarn --version && npm ci
