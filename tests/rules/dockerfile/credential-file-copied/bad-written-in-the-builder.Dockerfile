FROM node:22 AS build
# expect: credential-file-copied
RUN echo "//npm.example.com/:_authToken=${NPM_TOKEN}" >> .npmrc
FROM node:22-slim
COPY --from=build /app /app
