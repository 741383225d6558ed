FROM debian:12
# expect: apt-recommends @4:69
RUN true \
 && DEBIAN_FRONTEND=noninteractive sudo -E env A=b /usr/bin/apt-get install curl
# expect: apt-recommends @6:43
RUN set -e; if true; then ( eval "apt-get install a" ); fi
