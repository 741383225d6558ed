FROM debian:12 AS tools
# expect: secret-printed @3:40
RUN --mount=type=secret,id=token true; cat /run/secrets/token
# expect: secret-printed
RUN --mount=type=secret,id=npm,target=/root/.npmrc head -n 1 /root/.npmrc && npm ci
# expect: secret-printed
RUN --mount=type=secret,id=token,env=TOKEN env
FROM scratch
COPY --from=tools /a /a
