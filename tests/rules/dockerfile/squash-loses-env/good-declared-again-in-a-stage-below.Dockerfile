FROM debian:12 AS runtime
ENV A=1
FROM scratch AS flat
COPY --from=runtime / /
FROM flat
ENV A=1
