FROM debian:12 AS base
CMD serve
FROM base AS runtime
RUN true
FROM scratch
# expect: squash-loses-cmd
COPY --from=runtime / /
