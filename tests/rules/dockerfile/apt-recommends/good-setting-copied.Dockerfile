FROM debian:12 AS one
COPY <<EOF /etc/apt/apt.conf.d/99x
APT::Install-Recommends "false";
EOF
RUN apt-get install curl
FROM debian:12
COPY --from=one /x /x
COPY 99norecommends /etc/apt/apt.conf.d/
RUN apt-get install curl
