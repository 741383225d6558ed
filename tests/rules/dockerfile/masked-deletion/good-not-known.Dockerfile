FROM debian:12
ARG WHERE
COPY a.deb $WHERE/
COPY rootfs/ /
RUN rm -rf $WHERE/a.deb /usr/share/doc /var/cache/*.old
RUN cd "$(mktemp -d)" && rm -rf a.deb
