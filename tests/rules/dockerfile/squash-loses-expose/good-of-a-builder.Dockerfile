FROM debian:12 AS builder
EXPOSE 80
FROM scratch
COPY --from=builder /a /a
