# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
ARG TAG=v1.2.3
FROM golang:1.23 AS builder
WORKDIR /workspace
COPY . .
ARG TAG
RUN CGO_ENABLED=0 go build -a -ldflags "-X main.tag=$TAG" -o manager main.go

FROM gcr.example.com/distroless/static:nonroot@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
WORKDIR /
COPY --from=builder /workspace/manager .
COPY --from=gcr.example.com/tools/ca:1 /etc/ssl/ /etc/ssl/
USER 65532:65532
ENTRYPOINT ["/manager"]
