FROM python:3.13-slim AS runtime
LABEL org.opencontainers.image.version="1"
FROM scratch
# expect: missing-version-label
COPY --from=runtime / /
