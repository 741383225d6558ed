FROM debian:12
# expect: healthcheck-without-timeout
healthcheck --interval=5s \
  --retries=3 \
  CMD ["true"]
