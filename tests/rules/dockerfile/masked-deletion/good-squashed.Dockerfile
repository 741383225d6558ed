FROM debian:12 AS runtime
COPY a.deb /tmp/
RUN dpkg -i /tmp/a.deb
RUN rm /tmp/a.deb
FROM scratch
COPY --from=runtime / /
