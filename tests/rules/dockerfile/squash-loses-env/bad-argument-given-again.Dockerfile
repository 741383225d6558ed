FROM debian:12 AS runtime
ARG V=1
ENV E=$V
ARG V=2
ENV F=$V
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
