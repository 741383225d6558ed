FROM debian:12
COPY setup.sh /
RUN /setup.sh
HEALTHCHECK CMD curl -f http://localhost/
