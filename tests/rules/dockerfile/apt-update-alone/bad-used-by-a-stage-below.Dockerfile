FROM debian:12 AS base
# expect: apt-update-alone @3:13
RUN apt-get update
FROM base
RUN apt-get install -y curl
