# volumes: /data
FROM debian:12
ENV D=/data
RUN cd / && mkdir data
RUN chown app "$D"
USER app
