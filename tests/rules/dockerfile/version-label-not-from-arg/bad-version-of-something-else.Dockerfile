FROM python:3.13
ENV VERSION=3.13
# expect: version-label-not-from-arg
LABEL org.opencontainers.image.version=1.4.0
