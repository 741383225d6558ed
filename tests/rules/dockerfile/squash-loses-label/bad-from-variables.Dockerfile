FROM debian:12 AS runtime
ARG SHA
ENV NAME=tale
LABEL a=$SHA b=${NAME}-x c=${NAME}
FROM scratch
# expect: squash-loses-label
COPY --from=runtime / /
LABEL c=1
