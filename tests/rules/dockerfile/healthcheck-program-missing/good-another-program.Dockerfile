FROM python:3.13-slim
HEALTHCHECK CMD python -c 'import urllib'
