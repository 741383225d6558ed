FROM python:3.13
# expect: pip-cache-kept
RUN uv pip install --system .
# expect: pip-cache-kept @5:21
RUN uv -q --offline sync --frozen
