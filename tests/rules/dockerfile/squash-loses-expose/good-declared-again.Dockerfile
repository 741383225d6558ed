FROM debian:12 AS runtime
EXPOSE 80 443
FROM scratch
COPY --from=runtime / /
EXPOSE 443/tcp 80
