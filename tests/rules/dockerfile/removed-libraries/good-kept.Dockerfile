FROM debian:12
RUN find /venv -not -name "*.so" -delete && find /x ! -name "*.so*" -type f -delete
