FROM debian:12 AS runtime
ENTRYPOINT ["/entrypoint.sh"]
FROM scratch
# expect: squash-loses-entrypoint
COPY --from=runtime / /
