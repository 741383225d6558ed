FROM alpine:3.22
RUN apk update && apk add curl
RUN dnf check-update; dnf makecache; zypper refresh; zypper list-updates
RUN apt-get upgrade -y
