# volumes: /srv/uploads
# expect: mount-point-missing
FROM debian:12
RUN mkdir -p /srv/other
WORKDIR /home
USER 1000
