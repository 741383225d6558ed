FROM debian:12 AS runtime
VOLUME /data /config
FROM scratch
COPY --from=runtime / /
VOLUME ["/config"]
VOLUME /data
