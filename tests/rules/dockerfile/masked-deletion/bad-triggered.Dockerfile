FROM debian:12 AS base
ONBUILD COPY big.tar.gz /srv/
FROM base
# expect: masked-deletion
RUN tar -xzf /srv/big.tar.gz && rm /srv/big.tar.gz
