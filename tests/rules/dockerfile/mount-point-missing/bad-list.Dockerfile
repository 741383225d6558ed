FROM alpine:3.22
RUN adduser -D app && mkdir /config
USER app
# expect: mount-point-missing
VOLUME ["/config", "/data"]
