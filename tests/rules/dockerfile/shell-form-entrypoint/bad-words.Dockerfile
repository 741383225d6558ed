FROM python:3.13-slim
# expect: shell-form-entrypoint
CMD uvicorn app:app --host 0.0.0.0
