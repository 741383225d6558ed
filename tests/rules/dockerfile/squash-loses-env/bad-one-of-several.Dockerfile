FROM debian:12 AS runtime
ENV A=1 B=2
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
ENV A=9
USER app
