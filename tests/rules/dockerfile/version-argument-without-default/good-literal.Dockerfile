FROM python:3.13-slim
ARG OTHER
LABEL org.opencontainers.image.version="1.0"
