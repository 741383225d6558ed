FROM debian:12 AS runtime
EXPOSE 80 443/UDP
FROM scratch
# expect: squash-loses-expose
COPY --from=runtime / /
