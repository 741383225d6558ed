FROM python:3.13-slim
# expect: credential-file-copied @3:5
ADD deploy/id_ed25519 /root/.ssh/
# expect: credential-file-copied @5:6
COPY certs/server.key certs/server.crt /etc/ssl/
