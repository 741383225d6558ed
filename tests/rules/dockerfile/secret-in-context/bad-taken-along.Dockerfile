# holds: config/production.json gitlab-token
# holds: src/client.py github-token
FROM python:3.13
# expect: secret-in-context
# expect: secret-in-context
COPY . /app
