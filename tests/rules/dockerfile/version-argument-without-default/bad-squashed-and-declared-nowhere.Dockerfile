FROM debian:12 AS runtime
FROM scratch
COPY --from=runtime / /
# expect: version-argument-without-default
LABEL org.opencontainers.image.version="${VERSION}"
