FROM debian:12 AS runtime
LABEL maintainer Some One
FROM scratch
# expect: squash-loses-label
COPY --from=runtime / /
