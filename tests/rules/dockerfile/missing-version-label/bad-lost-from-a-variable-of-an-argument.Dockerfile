FROM debian:bookworm-slim AS up
ARG APPV=1
ENV APPV=$APPV
LABEL org.opencontainers.image.version=$APPV
FROM scratch
# expect: missing-version-label
COPY --from=up / /
