FROM debian:12 AS base
# expect: apt-lists-left
RUN apt-get update
FROM base
RUN rm -rf /var/lib/apt/lists/*
