FROM python:3.13-slim
# expect: version-argument-without-default
ARG VERSION
LABEL org.opencontainers.image.version="${VERSION}"
