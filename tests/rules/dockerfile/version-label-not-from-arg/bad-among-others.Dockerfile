FROM debian:12
ENV A=1
# the labels
# expect: version-label-not-from-arg @6:7
LABEL a=b \
      org.opencontainers.image.version=1.4.0-rc.1+x \
      c=d
