FROM debian:12 AS base
RUN apt-get install -y gcc
FROM base AS runtime
RUN apt-get purge -y --auto-remove gcc
FROM scratch
COPY --link --from=runtime / /
