FROM python:3.13-slim
LABEL python="${PYTHON_VERSION:?}"
