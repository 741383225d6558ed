FROM debian:12
# expect: secret-in-build-argument @3:5
ENV PGPASSWORD=abcdefgh
# expect: secret-in-build-argument @5:5
ENV DB_PASS=abcdefgh
# expect: secret-in-build-argument @7:5
ARG GH_PAT
