FROM debian:12 AS unused
RUN cat /run/secrets/token
FROM debian:12
RUN cat /etc/os-release
