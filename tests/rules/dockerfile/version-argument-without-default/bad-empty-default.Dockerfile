FROM debian:12
# expect: version-argument-without-default
ARG VERSION=
LABEL org.opencontainers.image.version="${VERSION}"
