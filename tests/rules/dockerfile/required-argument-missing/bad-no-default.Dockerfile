FROM debian:12
ARG CHANNEL
# expect: required-argument-missing @4:16
LABEL channel="${CHANNEL:?pass a channel}"
