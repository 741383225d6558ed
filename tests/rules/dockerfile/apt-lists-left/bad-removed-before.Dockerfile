FROM debian:12
# expect: apt-lists-left
RUN rm -rf /var/lib/apt/lists/* && apt-get update && apt-get clean && rm -rf /var/cache/apt/*
