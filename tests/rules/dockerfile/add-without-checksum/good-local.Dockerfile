FROM debian:12
ADD tool.tar.gz /opt/
