FROM alpine:3.22
# expect: system-upgrade @3:15
RUN apk -U -q upgrade --no-cache --available
# expect: system-upgrade
RUN apk upgrade --repository https://example.com/edge
