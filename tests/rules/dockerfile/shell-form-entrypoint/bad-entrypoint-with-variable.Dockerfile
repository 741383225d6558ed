FROM python:3.13-slim
# expect: shell-form-entrypoint
ENTRYPOINT python app.py --port $PORT
