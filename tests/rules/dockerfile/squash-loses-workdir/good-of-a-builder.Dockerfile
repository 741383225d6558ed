FROM debian:12 AS builder
WORKDIR /srv
FROM debian:12 AS runtime
COPY --from=builder /srv /srv
FROM scratch
COPY --from=runtime / /
