FROM debian:bookworm-slim
RUN pip install requests
LABEL org.opencontainers.image.version=1
HEALTHCHECK CMD ["true"]
