FROM debian:12
# expect: build-tools-in-final-stage
RUN apt-get install -y build-essential
RUN make && apt-get purge -y build-essential
