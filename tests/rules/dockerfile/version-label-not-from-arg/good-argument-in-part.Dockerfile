FROM debian:12
ARG BUILD
LABEL org.opencontainers.image.version=1.4.0+$BUILD
