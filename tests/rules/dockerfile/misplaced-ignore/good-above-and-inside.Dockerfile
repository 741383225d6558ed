# hullmark: ignore=unpinned-base-image made here
FROM debian:12
# HULLMARK: Ignore=apt-recommends, pip-cache-kept it is small
RUN true \
    # hullmark: ignore=apt-recommends it is small
    && true
