FROM python:3.13-slim
# expect: removed-libraries
RUN find /venv -name "*.so" -size -20k -delete
