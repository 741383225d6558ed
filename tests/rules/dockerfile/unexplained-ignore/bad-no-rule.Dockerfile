# expect: unexplained-ignore @2:3
  # hullmark: ignore= because I say so
FROM debian:12
