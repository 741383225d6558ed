FROM debian:bookworm-slim AS runtime
RUN apt-get update && apt-get install -y ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd app && mkdir -p /data
FROM scratch
COPY --from=runtime / /
# expect: healthcheck-program-missing
HEALTHCHECK CMD ["/usr/bin/wget", "-q", "http://localhost/"]
