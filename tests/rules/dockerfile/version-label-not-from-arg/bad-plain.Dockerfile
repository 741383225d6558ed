FROM debian:12
# expect: version-label-not-from-arg @3:7
LABEL org.opencontainers.image.version="1.4.0"
