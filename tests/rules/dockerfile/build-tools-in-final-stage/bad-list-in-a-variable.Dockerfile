FROM debian:12 AS base
ENV PACKAGES="curl golang-1.21-go"
FROM base
# expect: build-tools-in-final-stage @5:21
RUN apt-get install $PACKAGES
