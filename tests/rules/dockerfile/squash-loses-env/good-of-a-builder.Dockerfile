FROM debian:12 AS builder
ENV A=1
FROM debian:12 AS runtime
COPY --from=builder /a /a
FROM scratch
COPY --from=runtime / /
