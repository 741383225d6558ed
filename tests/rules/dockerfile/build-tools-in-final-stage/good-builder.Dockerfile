FROM debian:12 AS builder
RUN apt-get install -y build-essential libpq-dev
FROM debian:12
COPY --from=builder /usr/local /usr/local
RUN --mount=from=builder,target=/b cp /b/x /x
