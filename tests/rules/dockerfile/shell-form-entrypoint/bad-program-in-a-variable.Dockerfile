FROM python:3.13-slim
# expect: shell-form-entrypoint
CMD $PROGRAM --port 80
