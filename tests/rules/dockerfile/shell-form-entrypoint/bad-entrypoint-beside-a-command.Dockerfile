FROM debian:12
# expect: shell-form-entrypoint
ENTRYPOINT echo hello
CMD ["ignored"]
