FROM debian:12 AS runtime
RUN mkdir /data
FROM scratch
COPY --from=runtime / /
VOLUME /data
