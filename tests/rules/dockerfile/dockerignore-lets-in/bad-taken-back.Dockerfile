# context: .env 120 B, app/main.py 1 kB
# .dockerignore: .env, !.env
FROM python:3.13
# expect: dockerignore-lets-in
COPY . /app
