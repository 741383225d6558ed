FROM debian:12 AS runtime
STOPSIGNAL SIGTERM
FROM scratch
COPY --from=runtime / /
