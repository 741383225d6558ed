FROM debian:12
ARG FROM_THERE=https://example.com/a.tgz
# expect: add-without-checksum @4:5
ADD $FROM_THERE /x
