FROM debian:12 AS base
CMD serve
FROM base AS runtime
ENTRYPOINT ["/e.sh"]
FROM scratch
COPY --from=runtime / /
ENTRYPOINT ["/e.sh"]
