FROM debian:12 AS build
ARG VERSION=dev
RUN make
FROM debian:12
RUN true
# expect: version-argument-without-default
LABEL org.opencontainers.image.version="${VERSION}"
