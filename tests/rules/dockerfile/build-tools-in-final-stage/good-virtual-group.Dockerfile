FROM alpine:3.22 AS base
FROM base
RUN apk add --no-cache -t .build-deps gcc musl-dev \
 && make \
 && apk del --no-network .build-deps
