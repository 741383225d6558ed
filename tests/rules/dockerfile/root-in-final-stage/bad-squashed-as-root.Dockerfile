# non-root
FROM debian:12 AS run
USER root
FROM scratch
# expect: root-in-final-stage @4:1
COPY --from=run / /
