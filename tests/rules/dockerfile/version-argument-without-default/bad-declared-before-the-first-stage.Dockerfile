ARG VERSION=dev
FROM debian:12
# expect: version-argument-without-default
LABEL org.opencontainers.image.version="${VERSION}"
