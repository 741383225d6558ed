FROM python:3.13-slim AS runtime
LABEL org.opencontainers.image.version=1
FROM scratch
COPY --from=runtime / /
ARG VERSION=dev
LABEL org.opencontainers.image.version="${VERSION:-none}"
