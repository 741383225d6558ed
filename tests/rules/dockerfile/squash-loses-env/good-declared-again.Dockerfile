FROM debian:12 AS runtime
ENV A=1
ENV B=2
FROM scratch
COPY --from=runtime / /
ENV A 1
ENV "B"="3"
