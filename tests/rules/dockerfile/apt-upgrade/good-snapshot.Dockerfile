FROM debian:13
RUN apt-get upgrade -y --snapshot 20260101T000000Z
RUN apt-get -o APT::Snapshot=20260101T000000Z upgrade -y
RUN apt-get -s upgrade
