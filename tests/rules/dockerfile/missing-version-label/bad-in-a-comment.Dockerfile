# expect: missing-version-label
FROM python:3.13-slim
LABEL a=b \
#   org.opencontainers.image.version=1 \
    c=d
