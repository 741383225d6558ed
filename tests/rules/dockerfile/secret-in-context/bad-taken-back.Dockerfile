# holds: config/a.json gitlab-token
# holds: config/b.json gitlab-token
# .dockerignore: config, !config/b.json
FROM python:3.13
# expect: secret-in-context
COPY config /app/
