FROM debian:12 AS runtime
LABEL a=1 b="2"
FROM scratch
COPY --from=runtime / /
LABEL a=1
LABEL b 2
