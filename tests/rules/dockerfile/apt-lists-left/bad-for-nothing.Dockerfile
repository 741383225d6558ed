FROM debian:12
# expect: apt-lists-left
RUN apt-get update
CMD ["true"]
