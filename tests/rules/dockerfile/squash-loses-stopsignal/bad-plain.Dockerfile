FROM debian:12 AS runtime
STOPSIGNAL SIGINT
FROM scratch
# expect: squash-loses-stopsignal
COPY --from=runtime / /
