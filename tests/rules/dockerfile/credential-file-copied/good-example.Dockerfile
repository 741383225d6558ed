FROM python:3.13-slim
COPY .env.example .env.sample .env.template /app/
