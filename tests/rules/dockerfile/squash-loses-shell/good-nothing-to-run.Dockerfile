FROM debian:12 AS runtime
SHELL ["/bin/bash", "-c"]
FROM scratch
COPY --from=runtime / /
HEALTHCHECK NONE
CMD ["a"]
