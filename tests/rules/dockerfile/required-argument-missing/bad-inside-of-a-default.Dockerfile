FROM debian:12
ENV HOME_OF=/srv
ARG Q
# expect: required-argument-missing @5:20
WORKDIR ${HOME_OF:-${Q:?no}}
