FROM debian:12
# expect: secret-printed
RUN bash -c "base64 /run/secrets/token"
# expect: secret-printed
RUN <<EOF
set -e
echo $API_TOKEN
EOF
