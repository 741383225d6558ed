FROM debian:12
# expect: apt-upgrade @3:39
ONBUILD RUN apt-get update && apt-get $A -y
ENV A=upgrade
