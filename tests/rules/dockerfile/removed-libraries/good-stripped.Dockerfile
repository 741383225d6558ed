FROM python:3.13-slim
RUN find /venv -name "*.so*" -exec strip --strip-unneeded {} +
