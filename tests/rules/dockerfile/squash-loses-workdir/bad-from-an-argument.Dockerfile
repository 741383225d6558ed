FROM debian:12 AS runtime
ARG HOME_OF=/srv
WORKDIR $HOME_OF
FROM scratch
# expect: squash-loses-workdir
COPY --from=runtime / /
