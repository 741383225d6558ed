# volumes: /data
FROM debian:12
COPY setup.sh /opt/
RUN /opt/setup.sh
USER app
