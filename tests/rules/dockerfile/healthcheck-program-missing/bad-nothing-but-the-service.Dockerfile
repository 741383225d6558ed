FROM golang:1.25 AS builder
RUN apt-get install -y curl
RUN go build -o /server .
FROM scratch
COPY --from=builder /server /server
# expect: healthcheck-program-missing
HEALTHCHECK CMD ["curl", "-f", "http://localhost/"]
