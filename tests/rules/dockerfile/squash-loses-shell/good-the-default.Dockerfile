FROM debian:12 AS runtime
SHELL ["/bin/sh", "-c"]
FROM scratch
COPY --from=runtime / /
CMD a
