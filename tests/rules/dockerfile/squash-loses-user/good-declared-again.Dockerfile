FROM debian:12 AS runtime
USER app
FROM scratch
COPY --from=runtime / /
USER 1000
