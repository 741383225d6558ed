FROM python:3.13
# expect: version-label-not-from-arg
LABEL org.opencontainers.image.version="the first"
