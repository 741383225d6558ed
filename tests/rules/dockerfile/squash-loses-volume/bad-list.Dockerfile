FROM debian:12 AS runtime
VOLUME ["/data", "/config"]
FROM scratch
# expect: squash-loses-volume
COPY --from=runtime / /
VOLUME /data/
