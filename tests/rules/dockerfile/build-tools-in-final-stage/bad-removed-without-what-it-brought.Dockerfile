FROM debian:12 AS base
FROM base
# expect: build-tools-in-final-stage
RUN apt-get update && apt-get install -y --no-install-recommends gcc libpq-dev && make-it \
    && apt-get purge -y gcc libpq-dev && rm -rf /var/lib/apt/lists/*
