FROM python:3.13-slim AS runtime
ARG VERSION=2.1
LABEL org.opencontainers.image.version="${VERSION}"
FROM scratch
# expect: missing-version-label
COPY --from=runtime / /
