FROM python:3.13-slim
# expect: shell-form-entrypoint
ENTRYPOINT echo "two words" plain
