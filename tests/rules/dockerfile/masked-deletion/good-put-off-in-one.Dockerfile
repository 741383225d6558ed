FROM debian:12
ONBUILD RUN --mount=type=bind,source=big.tar.gz,target=/srv/big.tar.gz tar -xzf /srv/big.tar.gz
ONBUILD RUN curl -o /srv/a.zip https://example.org/a.zip && unzip /srv/a.zip && rm /srv/a.zip
