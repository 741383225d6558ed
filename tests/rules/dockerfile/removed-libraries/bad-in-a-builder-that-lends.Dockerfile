# expect: removed-libraries @4
FROM python:3.13-slim AS build
WORKDIR /opt
RUN python3 -m venv venv && find -L venv -name '*.so*' -type f -delete
FROM python:3.13-slim
COPY --from=build /opt/venv /opt/venv
