# context without .dockerignore: Dockerfile.dockerignore 5 B
FROM debian:12
COPY . .
