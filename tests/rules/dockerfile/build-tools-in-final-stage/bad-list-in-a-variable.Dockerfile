FROM debian:12
ENV PACKAGES="curl golang-1.21-go"
# expect: build-tools-in-final-stage @4:21
RUN apt-get install $PACKAGES
