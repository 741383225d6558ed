FROM debian:12
ARG TARGETARCH
ARG http_proxy
WORKDIR /${TARGETARCH:?}
ENV A=${http_proxy:?}
