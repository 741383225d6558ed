FROM debian:12 AS runtime
ENV APP_MODE=production PATH=/opt/venv/bin:$PATH
ENV LEVEL=info
FROM scratch
# expect: squash-loses-env
# expect: squash-loses-env
COPY --from=runtime / /
