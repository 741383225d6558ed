FROM debian:12
ARG VERSION
LABEL org.opencontainers.image.version="${VERSION:?must be set}"
