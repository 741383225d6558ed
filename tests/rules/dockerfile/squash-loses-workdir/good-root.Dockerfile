FROM debian:12 AS runtime
WORKDIR /srv
WORKDIR /
FROM scratch
COPY --from=runtime / /
