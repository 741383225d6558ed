FROM alpine:3.22 AS a
# expect: build-tools-in-final-stage @3:24
RUN apk add --no-cache build-base
FROM a
# expect: build-tools-in-final-stage
RUN apk add -U --virtual .deps make && apk del .other
# expect: build-tools-in-final-stage
RUN dnf install -y --setopt install_weak_deps=0 gcc-c++ openssl-devel
