FROM debian:12
# expect: version-label-not-from-arg
LABEL org.opencontainers.image.version=1.4.0
ARG VERSION=2
