FROM debian:12
# expect: apt-lists-left @3:13
RUN apt-get update && apt-get install -y --no-install-recommends curl
