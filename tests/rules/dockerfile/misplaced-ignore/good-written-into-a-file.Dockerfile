FROM debian:12
COPY <<EOF /Dockerfile
FROM debian:12

# hullmark: ignore=apt-recommends it is small

EOF
