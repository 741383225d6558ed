FROM python:3.13-slim
ARG VERSION=dev
LABEL org.opencontainers.image.version="${VERSION}"
