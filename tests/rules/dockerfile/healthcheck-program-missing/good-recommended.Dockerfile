FROM debian:12
RUN apt-get update && apt-get install -y libpq5
HEALTHCHECK CMD curl -f http://localhost/
