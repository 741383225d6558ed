FROM debian:12 AS base
RUN apt-get update
FROM base AS runtime
RUN apt-get install -y curl
RUN rm -rf /var/lib/apt/lists/*
FROM scratch
COPY --from=runtime / /
