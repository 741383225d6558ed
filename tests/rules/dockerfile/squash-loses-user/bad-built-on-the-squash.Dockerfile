FROM debian:12 AS runtime
USER app
FROM scratch AS flat
# expect: squash-loses-user
COPY --from=runtime / /
FROM flat
RUN apt-get update
