FROM debian:12 AS base
# expect: version-label-not-from-arg
LABEL org.opencontainers.image.version 1.4.0
FROM base
RUN true
