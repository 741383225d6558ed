FROM debian:12
# expect: apt-recommends @3:32
RUN apt-get update && apt-get  install -y curl && rm -rf /var/lib/apt/lists/*
# expect: apt-recommends
RUN apt install -qq --yes curl
