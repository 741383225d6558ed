FROM debian:12
ARG CHANNEL=stable
# What a variable of another name demands, and one that is set and empty without the colon.
ARG EMPTY=
LABEL channel="${CHANNEL:?pass a channel}" empty="${EMPTY?}"
