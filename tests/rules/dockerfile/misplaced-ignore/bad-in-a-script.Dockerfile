FROM debian:12
# expect: misplaced-ignore @4:3
RUN <<EOF
  # hullmark: ignore=apt-recommends it is small
apt-get install -y curl
EOF
