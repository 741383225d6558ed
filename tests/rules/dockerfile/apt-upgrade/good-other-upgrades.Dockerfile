FROM debian:12
RUN pip install --upgrade pip && npm upgrade
RUN echo apt-get upgrade
