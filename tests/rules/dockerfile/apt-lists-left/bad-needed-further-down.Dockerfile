FROM debian:12
# expect: apt-lists-left
RUN apt-get update && apt-get install -y curl
RUN apt-get install -y wget
