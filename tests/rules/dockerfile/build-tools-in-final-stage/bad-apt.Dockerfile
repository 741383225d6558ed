FROM debian:12 AS base
RUN true
FROM base
# expect: build-tools-in-final-stage @6:30
RUN apt-get update && apt-get install -y --no-install-recommends \
        curl ca-certificates gcc-12=12.2.0-14 \
        libpq-dev \
    && rm -rf /var/lib/apt/lists/*
