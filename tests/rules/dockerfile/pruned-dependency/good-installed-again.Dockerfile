# requirements.txt: torch
FROM python:3.13
COPY requirements.txt /
RUN pip install -r /requirements.txt && pip uninstall -y torch && pip install torch==2.5.0
