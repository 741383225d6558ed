ARG VERSION=1
FROM debian:12 AS base
ARG VERSION
ARG FULL=v${VERSION}
FROM base AS runtime
ENV APP_VERSION="${FULL}" HOME_OF=/srv
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
