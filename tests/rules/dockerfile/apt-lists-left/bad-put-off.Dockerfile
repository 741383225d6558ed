FROM debian:12
# expect: apt-lists-left @3:21
ONBUILD RUN apt-get update && apt-get install -y --no-install-recommends a
ONBUILD RUN apt-get update && apt-get install -y --no-install-recommends b && rm -rf /var/lib/apt/lists/*
# expect: apt-lists-left @6:21
ONBUILD RUN apt-get update && apt-get install -y --no-install-recommends c
ONBUILD RUN apt-get install -y --no-install-recommends d
