FROM python:3.13-slim
# expect: shell-form-entrypoint
cmd gunicorn --workers $WORKERS \
    "app:${APP}"
