FROM debian:12
RUN curl -o /tmp/a.tgz https://example.org/a.tgz && tar -xf /tmp/a.tgz && rm /tmp/a.tgz
RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/* /tmp/*
