# context without .dockerignore: .git/objects 812 MB
FROM node:22 AS build
RUN make
FROM node:22-slim
COPY --from=build . .
