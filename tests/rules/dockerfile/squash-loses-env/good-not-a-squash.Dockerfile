FROM debian:12 AS runtime
ENV A=1
FROM scratch
COPY --from=runtime /srv /
FROM debian:12
COPY --from=runtime / /
