FROM debian:12 AS runtime
ENTRYPOINT ["/entrypoint.sh"]
ENTRYPOINT []
FROM scratch
COPY --from=runtime / /
