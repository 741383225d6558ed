FROM python:3.13-slim
RUN find / -xdev -name "*.a" -delete && rm -f /usr/lib/*.la
