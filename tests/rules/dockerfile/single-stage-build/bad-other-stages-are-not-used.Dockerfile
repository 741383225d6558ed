FROM debian:12 AS builder
RUN apt-get install -y gcc
FROM debian:12
# expect: single-stage-build
RUN apt-get install -y cmake
