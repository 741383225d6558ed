FROM debian:12
RUN --mount=type=cache,target=/tmp curl -o /tmp/a https://example.org/a
RUN --mount=type=bind,source=a.deb,target=/tmp/a.deb dpkg -i /tmp/a.deb && rm -f /tmp/x
