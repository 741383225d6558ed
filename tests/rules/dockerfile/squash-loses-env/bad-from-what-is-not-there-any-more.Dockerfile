FROM debian:12 AS runtime
ENV UV_PROJECT_ENVIRONMENT=/opt/venv
ENV PYTHON=$UV_PROJECT_ENVIRONMENT/bin/python
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
