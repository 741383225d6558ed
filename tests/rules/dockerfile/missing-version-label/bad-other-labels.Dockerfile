# expect: missing-version-label
FROM python:3.13-slim
LABEL org.opencontainers.image.title="a" org.opencontainers.image.versions="1" \
    note="org.opencontainers.image.version=1"
