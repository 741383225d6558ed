FROM python:3.13-slim
WORKDIR /app
# expect: credential-file-copied @4:6
COPY .env app.py ./
