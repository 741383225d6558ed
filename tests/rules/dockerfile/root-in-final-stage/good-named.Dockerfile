# non-root
FROM python:3.13-slim
USER root
RUN true
USER app
