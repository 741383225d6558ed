FROM debian:12 AS base
FROM base
# What is put off may serve a stage that only lends files.
ONBUILD RUN apt-get update && apt-get install -y --no-install-recommends gcc && rm -rf /var/lib/apt/lists/*
