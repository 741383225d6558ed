FROM debian:bookworm-slim
RUN pip install requests
ARG VERSION=dev
LABEL org.opencontainers.image.version="${VERSION}"
HEALTHCHECK --timeout=5s CMD ["true"]
