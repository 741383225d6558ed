FROM debian:12
# expect: add-without-checksum @3:13
ADD tool.sh http://example.com/a /opt/
