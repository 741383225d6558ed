FROM python:3.13-slim AS base
LABEL org.opencontainers.image.version 1.2 and more
FROM base
