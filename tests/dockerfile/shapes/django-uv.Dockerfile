# syntax=docker/dockerfile:1
# check=skip=JSONArgsRecommended
# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
ARG PYTHON=3.13
FROM ghcr.io/example/uv:0.5 AS uv
FROM python:$PYTHON-slim-bookworm AS build
COPY --from=uv /uv /uvx /bin/
ENV UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy
WORKDIR /app
RUN --mount=type=cache,target=/root/.cache/uv \
    --mount=type=bind,source=uv.lock,target=uv.lock \
    --mount=type=bind,source=pyproject.toml,target=pyproject.toml \
    uv sync --frozen --no-install-project --no-dev
COPY --exclude=tests --exclude=docs . /app
RUN --mount=type=cache,target=/root/.cache/uv uv sync --frozen --no-dev
RUN --mount=type=secret,id=key,env=SECRET_KEY python manage.py collectstatic --noinput

FROM python:$PYTHON-slim-bookworm
ARG PYTHON
LABEL python="$PYTHON"
COPY --from=build --chown=app:app /app /app
ENV PATH="/app/.venv/bin:$PATH" PYTHONUNBUFFERED=1
WORKDIR /app
USER app
STOPSIGNAL SIGINT
HEALTHCHECK CMD python -c "import urllib.request as u; u.urlopen('http://localhost:8000/up')" || exit 1
CMD ["gunicorn", "site.wsgi", "--bind", "0.0.0.0:8000"]
