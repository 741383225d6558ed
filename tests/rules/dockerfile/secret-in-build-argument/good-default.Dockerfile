FROM debian:12
ARG MODE
ENV GREETING=${MODE:-hello2} \
    DB_PASSWORD_FILE=${MODE:-/run/secrets/pw1} \
    API_TOKEN=${MODE:-}
