FROM python:3.13-slim
# expect: shell-form-entrypoint
CMD python migrate.py && python app.py
