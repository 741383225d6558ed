# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
ARG VERSION
FROM debian:bookworm-slim AS runtime
ARG VERSION
ENV APP_HOME=/srv/app
LABEL org.opencontainers.image.version="${VERSION}"
RUN useradd -r app && rm -rf /usr/share/doc
USER app
WORKDIR $APP_HOME
HEALTHCHECK --timeout=3s CMD ["true"]
CMD ["run"]

FROM scratch
ARG VERSION
COPY --from=runtime / /
LABEL org.opencontainers.image.version="${VERSION}"
USER app
