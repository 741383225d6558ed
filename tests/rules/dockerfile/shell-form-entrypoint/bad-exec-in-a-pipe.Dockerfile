FROM debian:12
# expect: shell-form-entrypoint
CMD exec "foo" | cat
