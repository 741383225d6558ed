FROM debian:12
# expect: misplaced-ignore @3:1
# hullmark: ignore=apt-recommends it is small

RUN true
# expect: misplaced-ignore @7:3
  # hullmark ignore=apt-recommends there is no instruction below
