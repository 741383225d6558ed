FROM debian:12
# expect: apt-update-alone @4:7
RUN \
  apt update
RUN apt-get install -y curl && rm -rf /var/lib/apt/lists/*
