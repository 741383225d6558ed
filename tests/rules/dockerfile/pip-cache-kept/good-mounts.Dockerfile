FROM python:3.13
RUN --mount=type=cache,target=/root/.cache pip install a
RUN --mount=type=cache,target=/root/.cache/pip,sharing=locked --mount=type=cache,dst=/home/app/.cache/uv/ \
    pip install a && uv sync
ENV UV_CACHE_DIR=/caches/uv
RUN --mount=type=cache,target=/caches uv sync
RUN --mount=type=tmpfs,target=/x pip install --cache-dir /x/pip a
