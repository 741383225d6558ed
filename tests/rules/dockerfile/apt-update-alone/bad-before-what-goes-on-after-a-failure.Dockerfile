FROM debian:12
# expect: apt-update-alone
RUN apt-get update
RUN --mount=type=cache,target=/var/cache/apt apt-get install -y curl || true
