FROM debian:12 AS base
ARG VERSION=dev
FROM base
LABEL org.opencontainers.image.version="${VERSION}"
