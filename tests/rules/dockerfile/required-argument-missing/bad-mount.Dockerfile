FROM debian:12
ARG FROM_WHERE
# expect: required-argument-missing @4:5
RUN --mount=target=/x,source=${FROM_WHERE:?} true
