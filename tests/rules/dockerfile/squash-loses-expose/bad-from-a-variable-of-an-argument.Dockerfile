FROM debian:12 AS runtime
ARG PORT=1
ENV PORT=$PORT
EXPOSE 80 443/udp $PORT
FROM scratch
# expect: squash-loses-expose
COPY --from=runtime / /
