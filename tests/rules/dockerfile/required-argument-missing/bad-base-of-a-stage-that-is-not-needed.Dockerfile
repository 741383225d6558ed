ARG OTHER
# expect: required-argument-missing @3:13
FROM debian:${OTHER:?} AS other
FROM debian:12
RUN true
