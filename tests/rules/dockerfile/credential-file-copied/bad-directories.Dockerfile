FROM debian:12
# expect: credential-file-copied @3:6
COPY .ssh /root/.ssh
# expect: credential-file-copied @5:6
COPY home/.aws/ /root/.aws/
# expect: credential-file-copied @7:6
COPY id_rsa* /root/
