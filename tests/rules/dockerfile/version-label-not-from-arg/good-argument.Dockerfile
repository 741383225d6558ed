FROM debian:12
ARG VERSION=dev
LABEL org.opencontainers.image.version="${VERSION}"
