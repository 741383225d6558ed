FROM debian:12
# expect: misplaced-ignore @3:1
# hullmark: ingore=apt-recommends it is small
RUN true
