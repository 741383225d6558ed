FROM debian:12
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
RUN apt-get update; apt-get install -y curl; rm -r -f "/var/lib/apt/lists"
RUN apt-get update && rm -rf /tmp/* /var/lib/apt/lists/* /var/tmp/*
RUN apt-get update && rm -rf /var/lib/{apt,dpkg,cache,log}/
RUN apt-get update && find /var/lib/apt/lists -type f -delete
RUN apt-get update && sh -c "rm -rf /var/lib/apt/lists/*"
