FROM debian:12 AS runtime
VOLUME /data
FROM runtime
