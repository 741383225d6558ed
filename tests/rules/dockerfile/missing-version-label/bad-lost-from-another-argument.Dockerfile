FROM python:3.13-slim AS runtime
ARG APP_VERSION=3
LABEL org.opencontainers.image.version="${APP_VERSION}"
FROM scratch
# expect: missing-version-label
COPY --from=runtime / /
