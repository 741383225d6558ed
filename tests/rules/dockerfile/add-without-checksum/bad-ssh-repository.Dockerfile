FROM debian:12
# expect: add-without-checksum @3:5
ADD git@github.com:example/tool.git /opt/tool
