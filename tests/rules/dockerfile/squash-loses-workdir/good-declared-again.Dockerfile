FROM debian:12 AS runtime
WORKDIR /srv
FROM scratch
COPY --from=runtime / /
WORKDIR /app
