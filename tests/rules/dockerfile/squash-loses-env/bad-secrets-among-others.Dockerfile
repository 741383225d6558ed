FROM debian:12 AS runtime
ENV DB_PASSWORD=hunter2 APP_MODE=production DSN=postgres://me:$DB_PASSWORD@db/app
ENV URL=x$DB_PASSWORD
FROM scratch
# expect: squash-loses-env
# expect: squash-loses-env
COPY --from=runtime / /
