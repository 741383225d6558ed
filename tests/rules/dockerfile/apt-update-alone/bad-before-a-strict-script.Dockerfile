FROM debian:12
# expect: apt-update-alone
RUN apt-get update
RUN set -eux; \
    if true; then apt-get install -y --no-install-recommends curl; fi; \
    rm -rf /var/lib/apt/lists/*
