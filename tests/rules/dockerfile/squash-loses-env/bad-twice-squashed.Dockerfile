FROM debian:12 AS base
ENV A=1
FROM scratch AS runtime
COPY --from=base / /
ENV B=2
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
