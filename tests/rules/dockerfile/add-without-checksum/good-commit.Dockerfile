FROM debian:12
ADD https://github.com/example/tool.git#0123456789abcdef0123456789abcdef01234567 /opt/tool
