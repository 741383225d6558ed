FROM python:3.13-slim AS base
# expect: version-argument-without-default
ARG VERSION
FROM base
LABEL org.opencontainers.image.version="${VERSION}"
