FROM debian:12
# expect: apt-update-alone
RUN apt-get update; date > /updated
RUN apt-get install -y curl
