FROM python:3.13-slim
WORKDIR /app
# expect: sources-before-dependencies @4:1
COPY . .
RUN pip install --no-cache-dir -r requirements.txt
CMD ["a"]
