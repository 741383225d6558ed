FROM debian:12
# expect: misplaced-ignore @3:12
RUN true   # hullmark: ignore=apt-recommends it is small
# expect: misplaced-ignore @6:13
RUN true \
    && true # hullmark: ignore=apt-recommends it is small
