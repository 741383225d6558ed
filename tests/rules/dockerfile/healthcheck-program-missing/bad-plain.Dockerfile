FROM python:3.13-slim
RUN pip install --no-cache-dir flask
COPY app/ /app/
# expect: healthcheck-program-missing @5:1
HEALTHCHECK --timeout=3s CMD curl -f http://localhost/ || exit 1
