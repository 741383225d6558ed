FROM debian:12 AS base
RUN apt-get update
FROM base
# expect: masked-deletion
RUN rm -rf /var/lib/apt/lists/*
