FROM debian:12
# expect: secret-printed @3:46
ONBUILD RUN --mount=type=secret,id=a,env=KEY printenv
