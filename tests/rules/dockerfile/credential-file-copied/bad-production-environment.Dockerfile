FROM python:3.13-slim
# expect: credential-file-copied @3:6
COPY config/.env.production /app/.env
