FROM debian:12 AS other
RUN apt-get upgrade
FROM debian:12
RUN true
