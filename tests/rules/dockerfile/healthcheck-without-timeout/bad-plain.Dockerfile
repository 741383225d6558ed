FROM debian:12
# expect: healthcheck-without-timeout @3:1
HEALTHCHECK CMD true
