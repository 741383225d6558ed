FROM debian:12
# expect: shell-form-entrypoint
CMD PORT=80 env
