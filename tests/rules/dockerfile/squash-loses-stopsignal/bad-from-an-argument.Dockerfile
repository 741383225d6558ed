FROM debian:12 AS runtime
ARG SIGNAL
STOPSIGNAL $SIGNAL
FROM scratch
# expect: squash-loses-stopsignal
COPY --from=runtime / /
