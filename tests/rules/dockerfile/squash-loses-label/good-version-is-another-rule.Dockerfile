FROM debian:12 AS runtime
LABEL org.opencontainers.image.version=1
FROM scratch
COPY --from=runtime / /
