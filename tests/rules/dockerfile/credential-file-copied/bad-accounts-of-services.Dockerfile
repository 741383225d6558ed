FROM debian:12
# expect: credential-file-copied
COPY credentials.json /app/
# expect: credential-file-copied
COPY service-account-prod.json /app/
