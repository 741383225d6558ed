FROM debian:12 AS base
# expect: build-tools-in-final-stage
ONBUILD RUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*
FROM base
RUN true
