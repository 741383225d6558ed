FROM python:3.13-slim
RUN rm -f /opt/vendor/libold.so.1 && find /x -name "*.sock" -delete
