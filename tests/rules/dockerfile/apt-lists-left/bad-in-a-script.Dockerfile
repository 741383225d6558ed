FROM debian:12
# expect: apt-lists-left
RUN <<EOF
set -eux
apt-get update
apt-get install -y curl
EOF
# expect: apt-lists-left
RUN <<EOF
apt-get update
apt-get install -y wget
EOF
