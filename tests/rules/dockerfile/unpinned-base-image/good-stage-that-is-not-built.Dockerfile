FROM debian:12 AS unused
FROM scratch
COPY app /app
