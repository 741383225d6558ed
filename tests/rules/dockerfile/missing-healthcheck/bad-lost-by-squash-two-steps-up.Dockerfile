FROM python:3.13-slim AS base
HEALTHCHECK CMD true
FROM base AS runtime
RUN true
FROM scratch AS flat
# expect: missing-healthcheck
COPY --from=1 /. /
FROM flat
USER app
