FROM debian:12
# expect: apt-update-alone
RUN apt-get update
RUN ["apt-get", "install", "-y", "curl"]
