FROM debian:12
# expect: apt-update-alone
RUN apt-get -q update && \
    apt-get upgrade -y
RUN <<EOF
set -e
apt-get install -y --no-install-recommends curl
EOF
