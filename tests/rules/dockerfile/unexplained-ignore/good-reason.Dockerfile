FROM debian:12
# hullmark: ignore=apt-recommends fonts are needed
RUN true \
    # hullmark: ignore=pip-cache-kept,apt-lists-left it is small
    && false
