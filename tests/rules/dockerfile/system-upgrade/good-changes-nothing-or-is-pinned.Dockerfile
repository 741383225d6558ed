FROM alpine:3.22
RUN apk upgrade --simulate
RUN dnf upgrade -y --releasever=2023.6.20241010
RUN zypper -n up --dry-run
