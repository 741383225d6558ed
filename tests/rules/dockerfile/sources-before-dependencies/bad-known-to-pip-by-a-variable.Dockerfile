# requirements.txt: flask, idna
FROM python:3.13-slim
ENV PYTHONPATH=/app
WORKDIR /app
# expect: sources-before-dependencies @6:1
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
