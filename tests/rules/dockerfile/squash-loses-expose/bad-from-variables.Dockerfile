FROM debian:12 AS runtime
ARG PORT=80
ENV ADMIN=2020
EXPOSE $PORT ${ADMIN}/tcp
FROM scratch
# expect: squash-loses-expose
COPY --from=runtime / /
