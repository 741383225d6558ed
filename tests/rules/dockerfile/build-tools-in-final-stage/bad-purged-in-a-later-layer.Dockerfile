FROM debian:12 AS other
RUN true
FROM debian:12
COPY --from=other /a /a
# expect: build-tools-in-final-stage
RUN apt-get install -y build-essential
RUN make && apt-get purge -y build-essential
