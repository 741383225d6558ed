FROM debian:12
ARG PLACE=
# expect: required-argument-missing @4:10
WORKDIR /${PLACE:?say where}
