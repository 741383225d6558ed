FROM debian:12
# expect: add-without-checksum @3:5
ADD https://example.com/tool.tar.gz /opt/
