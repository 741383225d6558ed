FROM python:3.13-slim AS runtime
HEALTHCHECK CMD true
FROM scratch
COPY --from=runtime / /
HEALTHCHECK CMD true
