FROM debian:12 AS builder
RUN echo 'APT::Install-Recommends "false";' > /etc/apt/apt.conf.d/99x
FROM debian:12
COPY --from=builder /a /a
# expect: apt-recommends
RUN apt-get install -y curl -o APT::Install-Suggests=false
# expect: apt-recommends
RUN apt-get install -y curl -o APT::Install-Recommends=true
