FROM debian:12 AS base
ADD a.deb /tmp/a.deb
FROM base
# expect: masked-deletion
RUN dpkg -i /tmp/a.deb && rm /tmp/a.deb
