FROM debian:12 AS runtime
RUN mkdir /data "/logs x"
VOLUME ["/data", "/logs x"]
FROM scratch
# expect: squash-loses-volume
COPY --from=runtime / /
