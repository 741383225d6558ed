FROM alpine:3.22
RUN apk add --no-cache -t .build-deps gcc musl-dev \
 && make \
 && apk del --no-network .build-deps
