FROM python:3.13
ENV UV_NO_CACHE=0
# expect: pip-cache-kept
RUN --mount=type=cache,target=/root/.npm PIP_NO_CACHE_DIR= pip install a
# expect: pip-cache-kept
RUN uv sync
# expect: pip-cache-kept
RUN --mount=type=cache,target=/root/.cache/uv pip install a
