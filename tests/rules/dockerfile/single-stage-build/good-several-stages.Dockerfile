FROM debian:12 AS builder
RUN apt-get install -y gcc
FROM debian:12
COPY --from=builder /a /a
