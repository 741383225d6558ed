FROM debian:12 AS runtime
ENTRYPOINT exec server \
  # its port
  --port 80
FROM scratch
# expect: squash-loses-entrypoint
COPY --from=runtime / /
CMD ["x"]
