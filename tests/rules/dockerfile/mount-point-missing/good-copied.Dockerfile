# volumes: /app/data /data
FROM debian:12
COPY app/ /app/
COPY --chown=app empty/ /data/
USER app
