FROM debian:12
RUN apt-get install -y gcc && make && apt-get purge -y --auto-remove gcc
