FROM debian:12 AS runtime
WORKDIR /srv
WORKDIR app
FROM scratch
# expect: squash-loses-workdir
COPY --from=runtime / /
