# context without .dockerignore: services/web/.env.local 120 B, services/web/app.py 2 kB
FROM debian:12
COPY services/api /api
# expect: dockerignore-missing
COPY services/web /web
