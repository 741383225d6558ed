# context without .dockerignore: go.mod 120 B
FROM golang:1.23
# expect: dockerignore-missing
RUN --mount=type=bind,target=/src go build -o /app /src
