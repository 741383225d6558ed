FROM debian:12 AS runtime
ENV APP=app
USER $APP
FROM scratch
# expect: squash-loses-user
COPY --from=runtime / /
