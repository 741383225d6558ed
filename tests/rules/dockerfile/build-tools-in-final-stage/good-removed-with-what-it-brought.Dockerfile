FROM debian:12 AS base
FROM base
RUN apt-get update && apt-get install -y --no-install-recommends gcc && make-it \
    && apt-get purge -y gcc && apt-get autoremove -y && rm -rf /var/lib/apt/lists/*
