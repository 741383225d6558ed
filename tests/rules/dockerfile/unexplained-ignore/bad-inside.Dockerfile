FROM debian:12
# expect: unexplained-ignore @4:5
RUN true \
    #hullmark:ignore=a,b
    && false
