# syntax=docker/dockerfile:1.7-labs
# check=skip=JSONArgsRecommended;error=true
# escape=\

# An ordinary comment
ARG BASE=python:3.13-slim \
    # of the runtime
    VARIANT

FROM --platform=$BUILDPLATFORM ${BASE} AS Builder
  label one="1" two='2 2' \

        three=3
LABEL legacy a value with blanks
env PATH=/opt/bin:$PATH EMPTY= QUOTED="a \" b"
ENV legacy value with blanks
RUN --mount=type=cache,target=/root/.cache --mount=type=secret,id=token \
    --network=none \
    # a comment between
  # and another with a backslash \
    pip install . && \

    echo done
COPY --link --chown=app:app --from=docker.io/library/node:22 ["/a b", "/c"]
COPY <<one.conf <<-'two conf' /etc/
first
one.conf
	second $NOT
	two conf
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d https://example.org/a /a
RUN <<EOF 3<<"DATA"
#!/usr/bin/env bash
FROM not-a-stage
cat <&3
EOF
RUN not an instruction
DATA
RUN cat <<A | grep "<<B" && echo 1<<2
text
A
2
ONBUILD COPY --chown=root . /src
ONBUILD RUN <<EOF
echo later
EOF
HEALTHCHECK --interval=5s --timeout=3s CMD ["curl", "-f", "http://localhost/"]
healthcheck none
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
VOLUME ["/data", "/more"]
VOLUME /a /b
EXPOSE 80/tcp 443
STOPSIGNAL SIGTERM
USER app:app
WORKDIR /a b
MAINTAINER Somebody <some@example.org>
ENTRYPOINT ["sh", '-c']
CMD echo "\
  # stays"
FROM scratch
COPY --from=builder / /
