# holds: config/production.json gitlab-token
# context: src/main.py 1 kB
FROM python:3.13
COPY src /app
