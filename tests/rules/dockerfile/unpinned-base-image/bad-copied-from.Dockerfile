FROM python:3.13-slim@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d
# expect: unpinned-base-image
COPY --from=ghcr.io/astral-sh/uv:0.5 /uv /bin/uv
