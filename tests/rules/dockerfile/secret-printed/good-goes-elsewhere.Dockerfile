FROM debian:12
RUN --mount=type=secret,id=token TOKEN=$(cat /run/secrets/token) npm ci
RUN --mount=type=secret,id=token export TOKEN="$(echo a; cat /run/secrets/token)" && npm ci
RUN --mount=type=secret,id=token TOKEN=`cat /run/secrets/token` npm ci
RUN --mount=type=secret,id=token cat /run/secrets/token | docker login --password-stdin
RUN echo "$NPM_TOKEN" > /dev/null
RUN bash -c "cat /run/secrets/token" > /dev/null
RUN diff <(cat /run/secrets/a) b
