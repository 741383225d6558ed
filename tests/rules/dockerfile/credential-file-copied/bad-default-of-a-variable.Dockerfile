FROM debian:12
ARG ENVFILE
# expect: credential-file-copied @4:6
COPY ${ENVFILE:-.env} /app/
