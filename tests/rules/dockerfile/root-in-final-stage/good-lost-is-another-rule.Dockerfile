# non-root
FROM python:3.13-slim AS run
USER app
FROM scratch
COPY --from=run / /
