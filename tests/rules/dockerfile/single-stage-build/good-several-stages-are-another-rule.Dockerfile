FROM debian:12 AS base
RUN apt-get install -y gcc
FROM base
RUN true
