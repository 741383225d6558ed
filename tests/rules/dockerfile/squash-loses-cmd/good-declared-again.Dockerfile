FROM debian:12 AS runtime
CMD ["serve"]
FROM scratch
COPY --from=runtime / /
CMD serve
