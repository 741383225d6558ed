FROM alpine:3.22
# expect: single-stage-build
RUN apk add --no-cache build-base
RUN apk del build-base
