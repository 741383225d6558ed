FROM debian:12
# expect: unexplained-ignore @3:1
# hullmark: ignore=apt-recommends
RUN true
