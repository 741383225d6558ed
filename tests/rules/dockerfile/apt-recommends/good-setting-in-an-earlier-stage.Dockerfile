FROM debian:12 AS base
RUN printf 'APT::Install-Recommends "false";\n' | tee /etc/apt/apt.conf.d/99x
FROM base
RUN apt-get update && apt-get install curl
