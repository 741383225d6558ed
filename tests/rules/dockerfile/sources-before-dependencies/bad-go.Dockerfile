FROM golang:1.25
WORKDIR /src
# expect: sources-before-dependencies
COPY ./ /src/
RUN --mount=type=cache,target=/go/pkg/mod go mod download
