FROM debian:12
ENV AT=/opt
RUN curl -fsSL -o /tmp/a.tgz https://example.org/a.tgz && cd /srv && wget -O b.zip https://example.org/b.zip
RUN git clone --depth 1 https://example.org/c.git $AT/c
# expect: masked-deletion
RUN tar -xf /tmp/a.tgz && rm -f /tmp/a.tgz
# expect: masked-deletion
RUN unzip /srv/b.zip && rm -f /srv/b.zip
# expect: masked-deletion
RUN make -C /opt/c install && rm -rf ${AT}/c
