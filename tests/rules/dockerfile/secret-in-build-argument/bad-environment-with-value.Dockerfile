FROM python:3.13-slim
# expect: secret-in-build-argument
ENV DB_PASSWORD=hunter2
