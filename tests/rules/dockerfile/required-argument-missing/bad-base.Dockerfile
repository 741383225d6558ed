ARG DEBIAN
# expect: required-argument-missing @3:13
FROM debian:${DEBIAN:?which}
RUN true
