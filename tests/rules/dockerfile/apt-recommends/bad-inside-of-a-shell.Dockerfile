FROM debian:12
# expect: apt-recommends @3:43
RUN bash -euxo pipefail -c "date; apt-get install \"a\" b"
# expect: apt-recommends @5:27
RUN ["sh", "-c", "apt-get install a"]
# expect: apt-recommends @7:18
RUN ["apt-get", "install", "a"]
