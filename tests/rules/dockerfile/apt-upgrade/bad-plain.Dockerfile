FROM debian:12
# expect: apt-upgrade @3:34
RUN apt-get update && apt-get -y upgrade
# expect: apt-upgrade
RUN apt-get dist-upgrade -y
