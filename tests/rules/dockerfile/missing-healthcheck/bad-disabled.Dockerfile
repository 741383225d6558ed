FROM python:3.13-slim
HEALTHCHECK CMD true
# expect: missing-healthcheck
healthcheck  none
