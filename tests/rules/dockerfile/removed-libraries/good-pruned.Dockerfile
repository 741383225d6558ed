FROM debian:12
RUN find /venv -name "*.so" -prune -o -name "*.a" -delete
