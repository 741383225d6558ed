FROM debian:12
RUN apt-get update && apt-get --no-install-recommends install -y curl
RUN apt-get install curl --no-install-recommends
RUN apt-get -o APT::Install-Recommends=false install a
RUN apt-get -oAPT::Install-Recommends=0 install a
RUN apt-get install --option "APT::Install-Recommends=no" a
RUN apt-get install --option=apt::install-recommends=off a
