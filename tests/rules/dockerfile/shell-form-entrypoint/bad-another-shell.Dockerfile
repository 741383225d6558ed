FROM python:3.13-slim
SHELL ["/bin/bash", "-c"]
# expect: shell-form-entrypoint
CMD python app.py
