FROM debian:12 AS runtime
USER app
FROM scratch
# expect: squash-loses-user
COPY --from=runtime / /
RUN useradd x
CMD a
