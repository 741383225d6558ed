FROM debian:12
# expect: apt-lists-left
RUN --mount=type=cache,target=/var/cache/apt --mount=type=bind,target=/var/lib/apt,from=x apt-get update
