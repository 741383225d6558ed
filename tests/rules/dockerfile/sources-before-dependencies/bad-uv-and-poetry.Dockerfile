FROM python:3.13 AS a
# expect: sources-before-dependencies
COPY . /app
RUN uv sync --frozen --no-cache
FROM python:3.13
COPY --from=a /app /app
# expect: sources-before-dependencies
COPY backend/src src
RUN poetry install
