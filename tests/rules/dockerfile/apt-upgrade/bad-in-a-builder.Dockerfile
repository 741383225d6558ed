FROM debian:12 AS builder
# expect: apt-upgrade
RUN sh -c "apt-get upgrade"
FROM debian:12
COPY --from=builder /a /a
