ARG VERSION=dev
FROM python:3.13-slim
# expect: missing-version-label
LABEL org.opencontainers.image.version="${VERSION}"
