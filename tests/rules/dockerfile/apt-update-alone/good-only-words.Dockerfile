FROM debian:12
RUN echo apt-get update
RUN apt-get install -y curl
RUN <<EOF
cat > /x <<END
apt-get update
END
EOF
