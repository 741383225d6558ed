FROM python:3.13
# expect: pip-cache-kept @4:13
ONBUILD RUN true && \
    é=1 pip install a
# A mount is one there as well.
ONBUILD RUN --mount=type=cache,target=/root/.cache/pip pip install b
ONBUILD COPY requirements.txt ./
# hullmark: ignore=pip-cache-kept whoever builds upon it removes it
ONBUILD RUN pip install c
