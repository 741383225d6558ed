# requirements.txt: flask, idna
FROM docker.io/library/python:3.13-slim
ENV PYTHONUNBUFFERED=1
RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/app
# expect: sources-before-dependencies @7:1
COPY . ./
RUN pip3 install --no-cache-dir -r requirements.txt
