FROM debian:12 AS base
FROM base
RUN apt-get install -y libgcc-s1 gcc-12-base libpq5 udev golang-docs makepasswd cmake-data
RUN echo apt-get install gcc && apt-get remove gcc && apt-get -s install gcc
