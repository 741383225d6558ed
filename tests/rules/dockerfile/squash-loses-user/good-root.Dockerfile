FROM debian:12 AS runtime
USER app
RUN true
USER root
FROM scratch
COPY --from=runtime / /
