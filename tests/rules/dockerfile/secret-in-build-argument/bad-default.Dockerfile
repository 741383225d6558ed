FROM debian:12
ARG DBPW
# expect: secret-in-build-argument
ENV DB_PASSWORD=${DBPW:-hunter2}
# expect: secret-in-build-argument
ENV DSN=${OTHER:-postgres://me:hunter2@db/app}
