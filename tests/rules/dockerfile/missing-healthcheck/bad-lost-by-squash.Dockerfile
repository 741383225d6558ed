FROM python:3.13-slim AS runtime
HEALTHCHECK CMD true
FROM scratch
# expect: missing-healthcheck
COPY --from=runtime --chown=0:0 / ./
