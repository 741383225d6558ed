FROM debian:12 AS runtime
ONBUILD ENV A=1
FROM scratch
COPY --from=runtime / /
