FROM debian:12
COPY --from=tools /usr/bin/curl /usr/local/bin/
HEALTHCHECK CMD curl -f http://localhost/
