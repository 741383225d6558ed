# volumes: /data
FROM debian:12
WORKDIR /data/x
USER app
