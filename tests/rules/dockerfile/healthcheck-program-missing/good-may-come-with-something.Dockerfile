FROM debian:12
RUN apt-get update && apt-get install -y --no-install-recommends some-server
HEALTHCHECK CMD curl -f http://localhost/
