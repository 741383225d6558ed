FROM debian:12 AS runtime
RUN apt-get update && apt-get install curl
FROM scratch
COPY --from=runtime / /
# expect: masked-deletion
RUN rm -rf /var/lib/apt/lists/*
