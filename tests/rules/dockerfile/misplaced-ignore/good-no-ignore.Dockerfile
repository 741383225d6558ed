FROM debian:12
# hullmark: says what is in it
RUN true
# hullmark knows, ignore or not

# the hullmark ignores it
RUN true
