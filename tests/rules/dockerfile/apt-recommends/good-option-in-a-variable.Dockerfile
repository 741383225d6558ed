FROM debian:12
ARG OPTIONS="-y --no-install-recommends"
RUN apt-get install $OPTIONS curl
