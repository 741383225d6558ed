FROM debian:12
RUN echo "run apt-get update first" && echo apt-get update
