FROM python:3.13
RUN PIP_NO_CACHE_DIR=1 pip install a
RUN export UV_NO_CACHE=1 && uv sync
