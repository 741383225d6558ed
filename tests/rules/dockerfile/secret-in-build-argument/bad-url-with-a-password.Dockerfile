FROM python:3.13-slim
# expect: secret-in-build-argument
ARG INDEX_URL=https://user:pass@pypi.example.com/simple
