FROM debian:12
WORKDIR /srv
COPY big.tar.gz /srv/
# expect: masked-deletion
ONBUILD RUN rm big.tar.gz
ONBUILD COPY other.zip /opt/
# expect: masked-deletion
ONBUILD RUN unzip /opt/other.zip -d /opt/other && rm /opt/other.zip
