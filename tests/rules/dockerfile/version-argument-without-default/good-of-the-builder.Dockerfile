FROM debian:12
ARG TARGETARCH
ARG VERSION=1
LABEL org.opencontainers.image.version="${VERSION}-${TARGETARCH}"
