FROM debian:12 AS runtime
ENV PORT=80
EXPOSE $PORT
FROM scratch
COPY --from=runtime / /
EXPOSE 80
