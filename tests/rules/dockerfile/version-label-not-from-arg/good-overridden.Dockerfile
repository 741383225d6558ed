FROM debian:12
LABEL org.opencontainers.image.version=1
ARG VERSION
LABEL org.opencontainers.image.version=$VERSION
