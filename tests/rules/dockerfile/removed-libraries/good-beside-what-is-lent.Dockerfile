FROM python:3.13-slim AS build
RUN python3 -m venv /opt/venv && rm -f /opt/tools/*.so && cd /usr/lib && find -name '*.so' -delete
FROM python:3.13-slim
COPY --from=build /opt/venv /opt/venv
