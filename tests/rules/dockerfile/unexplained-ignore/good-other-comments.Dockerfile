# hullmark is a tool
FROM debian:12
# hullmark: see the manual; ignore=this
RUN true
