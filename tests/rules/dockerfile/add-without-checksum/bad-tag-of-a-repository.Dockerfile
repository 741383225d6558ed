FROM debian:12
# expect: add-without-checksum @3:5
ADD https://github.com/example/tool.git#v0.10.1 /opt/tool
