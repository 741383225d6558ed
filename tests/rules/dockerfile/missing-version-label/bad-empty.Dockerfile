FROM python:3.13-slim
# expect: missing-version-label @3:7
LABEL org.opencontainers.image.version=""
