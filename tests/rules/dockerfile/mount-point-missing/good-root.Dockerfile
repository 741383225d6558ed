# volumes: /data
FROM debian:12
USER root
