FROM debian:12 AS runtime
ENV PATH=/opt/venv/bin:$PATH
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
