FROM debian:12 AS runtime
ENTRYPOINT ["/entrypoint.sh"]
FROM scratch
COPY --from=runtime / /
ENTRYPOINT ["/other.sh"]
