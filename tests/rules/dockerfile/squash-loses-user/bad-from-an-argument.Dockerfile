FROM debian:12 AS runtime
ARG UID=1000
USER $UID:${UID}
FROM scratch
# expect: squash-loses-user
COPY --from=runtime / /
