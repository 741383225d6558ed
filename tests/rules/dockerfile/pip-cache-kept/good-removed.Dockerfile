FROM python:3.13
RUN pip install a && rm -rf ~/.cache /tmp/*
RUN pip install a && pip cache purge
