FROM debian:12
# expect: secret-printed
RUN echo "the token is ${NPM_TOKEN}"
# expect: secret-printed
RUN if true; then printf '%s\n' "$DB_PASSWORD"; fi
