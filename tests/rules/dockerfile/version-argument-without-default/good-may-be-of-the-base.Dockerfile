FROM python:3.13
LABEL org.opencontainers.image.version="${PYTHON_VERSION}"
