ARG PIP_NO_CACHE_DIR=1
FROM python:3.13 AS base
ENV PIP_NO_CACHE_DIR=off
FROM base
ARG UV_NO_CACHE=true
RUN pip install a && uv sync
