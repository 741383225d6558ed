FROM debian:12
# expect: apt-upgrade
RUN DEBIAN_FRONTEND=noninteractive sudo apt full-upgrade -y
# expect: apt-upgrade
RUN <<EOF
apt-get upgrade -y
EOF
