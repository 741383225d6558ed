FROM debian:12 AS runtime
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
FROM scratch
# expect: squash-loses-shell
COPY --from=runtime / /
RUN a | b
