FROM python:3.13-slim AS base
HEALTHCHECK CMD ["true"]
FROM base AS middle
FROM Middle
