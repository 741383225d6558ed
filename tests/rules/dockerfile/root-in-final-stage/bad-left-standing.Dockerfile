# non-root
FROM python:3.13-slim
USER app
# expect: root-in-final-stage
USER root
RUN true
