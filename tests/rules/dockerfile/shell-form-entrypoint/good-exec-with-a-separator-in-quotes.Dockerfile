FROM debian:12
CMD migrate && exec serve "a;b"
