FROM debian:12 AS runtime
LABEL a=1
LABEL b=2
FROM scratch
# expect: squash-loses-label
COPY --from=runtime / /
LABEL a=1
