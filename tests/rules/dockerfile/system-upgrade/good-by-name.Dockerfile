FROM alpine:3.22
RUN apk upgrade --no-cache openssl && apk add --upgrade --no-cache curl
FROM fedora:42
RUN dnf -y upgrade openssl && yum update -y --enablerepo x curl
RUN zypper -n update -r main openssl
