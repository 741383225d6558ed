# expect: secret-in-build-argument
ARG GITHUB_TOKEN=abcdef123
FROM python:3.13-slim
