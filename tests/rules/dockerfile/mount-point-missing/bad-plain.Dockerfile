FROM debian:bookworm-slim AS runtime
RUN useradd app
FROM scratch
COPY --from=runtime / /
USER app
# expect: mount-point-missing
VOLUME /data
