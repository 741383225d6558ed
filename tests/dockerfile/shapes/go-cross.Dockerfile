# syntax=docker/dockerfile:1.7
# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
ARG GO_VERSION=1.23
ARG DEBIAN=bookworm

FROM --platform=$BUILDPLATFORM golang:${GO_VERSION}-${DEBIAN} AS toolchain
ENV CGO_ENABLED=0 GOFLAGS=-trimpath
WORKDIR /src

FROM toolchain AS modules
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod \
    go mod download

FROM modules AS compile
ARG TARGETOS TARGETARCH TARGETVARIANT
ARG VERSION=unknown
RUN --mount=type=bind,target=.,rw \
    --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build <<'BUILD'
set -eu
export GOOS="$TARGETOS" GOARCH="$TARGETARCH"
case "$TARGETVARIANT" in
    v*) export GOARM="${TARGETVARIANT#v}" ;;
esac
go build -ldflags "-s -w -X main.version=${VERSION}" -o /out/harbour ./cmd/harbour
BUILD

FROM compile AS test
RUN go vet ./... && go test -race ./...

FROM scratch AS binaries
COPY --from=compile /out/ /

FROM debian:${DEBIAN}-slim AS run
COPY --link --from=binaries --chmod=0755 /harbour /usr/local/bin/harbour
USER 65532:65532
EXPOSE 8080/tcp 9090
HEALTHCHECK --interval=10s --timeout=2s --start-period=5s CMD ["harbour", "ping"]
ENTRYPOINT ["harbour"]
CMD ["serve", "--listen=:8080"]
