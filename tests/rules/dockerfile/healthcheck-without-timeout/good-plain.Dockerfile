FROM debian:12
HEALTHCHECK --timeout=3s CMD true
