ARG TAG=12
# expect: unpinned-base-image
FROM debian:${TAG}
