# volumes: /var/lib/postgresql/data
FROM debian:12
RUN apt-get install -y postgresql
USER postgres
