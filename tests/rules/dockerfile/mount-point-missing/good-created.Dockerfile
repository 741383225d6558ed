# volumes: /data /config/sub/
FROM debian:12 AS runtime
RUN useradd app && install -d -o app /data && mkdir -p /config/sub
FROM scratch
COPY --from=runtime / /
USER app
VOLUME /data
