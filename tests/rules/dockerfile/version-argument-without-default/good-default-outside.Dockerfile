ARG VERSION=dev
FROM python:3.13-slim
ARG VERSION
LABEL org.opencontainers.image.version="${VERSION}"
