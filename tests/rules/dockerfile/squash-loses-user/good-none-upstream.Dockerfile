FROM debian:12 AS runtime
FROM scratch
COPY --from=runtime / /
