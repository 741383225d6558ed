FROM debian:12 AS runtime
ARG UID=0
USER ${UID}:0
FROM scratch
COPY --from=runtime / /
