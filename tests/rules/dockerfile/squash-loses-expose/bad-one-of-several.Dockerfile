FROM debian:12 AS runtime
EXPOSE 80
EXPOSE 9090
FROM scratch
# expect: squash-loses-expose
COPY --from=runtime / /
EXPOSE 80/tcp
