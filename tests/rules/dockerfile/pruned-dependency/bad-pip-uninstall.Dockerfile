# pyproject.toml: ruamel.yaml, requests
FROM python:3.13
COPY . .
# expect: pruned-dependency
RUN pip install . && pip uninstall -y ruamel-yaml setuptools
