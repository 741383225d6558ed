FROM debian:12 AS runtime
STOPSIGNAL SIGINT
FROM scratch
COPY --from=runtime /srv/ /
