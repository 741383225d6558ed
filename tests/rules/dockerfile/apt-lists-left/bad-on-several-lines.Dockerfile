FROM debian:12
# expect: apt-lists-left
RUN apt-get update \
  # what we need
  && apt-get install -y curl
# expect: apt-lists-left
RUN apt-get update && apt-get install -y curl; exit 0
# expect: apt-lists-left
RUN ["sh", "-c", "apt-get update && apt-get install -y jq"]
# expect: apt-lists-left
RUN apt-get update && apt-get install -y a # comment
# expect: apt-lists-left
RUN apt-get update && apt-get install -y b &
