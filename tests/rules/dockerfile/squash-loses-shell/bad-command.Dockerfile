FROM debian:12 AS runtime
SHELL ["/bin/bash", "-c"]
FROM scratch
# expect: squash-loses-shell
COPY --from=runtime / /
ENV A=1
CMD a | b
