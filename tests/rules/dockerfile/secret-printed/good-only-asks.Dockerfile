FROM debian:12
RUN --mount=type=secret,id=token test -s /run/secrets/token || echo "there is no token"
RUN --mount=type=secret,id=token,env=TOKEN env LANG=C npm ci && printenv LANG
RUN env | sort; echo $PATH $PWD
