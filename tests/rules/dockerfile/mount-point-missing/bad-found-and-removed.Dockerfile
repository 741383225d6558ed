FROM debian:12 AS runtime
RUN find / -xdev -name '*.pyc' -exec rm {} + && mkdir -p /config/sub
FROM scratch
COPY --from=runtime / /
# expect: mount-point-missing
VOLUME /data
