# holds: config/production.json gitlab-token
# .dockerignore: config/*.json
FROM python:3.13
COPY . /app
