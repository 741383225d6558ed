FROM debian:12 AS runtime
STOPSIGNAL 3
FROM scratch
# expect: squash-loses-stopsignal
COPY --from=runtime / /
