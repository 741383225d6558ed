ARG WHERE
FROM debian:12 AS runtime
ARG WHERE
WORKDIR $WHERE
WORKDIR app
FROM scratch
# expect: squash-loses-workdir
COPY --from=runtime / /
