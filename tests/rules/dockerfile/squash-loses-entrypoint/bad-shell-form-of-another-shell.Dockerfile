FROM debian:12 AS runtime
SHELL ["/bin/bash", "-c"]
ENTRYPOINT server
FROM scratch
# expect: squash-loses-entrypoint
COPY --from=runtime / /
