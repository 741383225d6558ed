ARG CHANNEL=stable
FROM debian:12
# expect: required-argument-missing @4:7
ENV A=${CHANNEL:?}
