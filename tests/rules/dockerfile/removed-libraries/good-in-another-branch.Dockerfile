FROM debian:12
RUN find /venv -name "*.pyc" -delete -o -name "*.so" -exec strip {} +
