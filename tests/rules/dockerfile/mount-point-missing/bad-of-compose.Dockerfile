# volumes: /data /var/lib/x
FROM python:3.13-slim AS runtime
RUN pip install --no-cache-dir flask
COPY app/ /app/
FROM scratch
# expect: mount-point-missing
COPY --from=runtime / /
