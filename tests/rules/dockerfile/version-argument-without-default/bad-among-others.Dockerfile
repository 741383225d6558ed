FROM python:3.13-slim
# expect: version-argument-without-default @3:9
ARG X=1 VERSION
LABEL a=b org.opencontainers.image.version=$VERSION
