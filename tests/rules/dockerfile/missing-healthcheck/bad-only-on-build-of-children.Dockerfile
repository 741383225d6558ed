# expect: missing-healthcheck
FROM python:3.13-slim
ONBUILD HEALTHCHECK CMD true
