FROM debian:12 AS runtime
VOLUME /data
FROM scratch
# expect: squash-loses-volume
COPY --from=runtime / /
