FROM debian:12 AS other
ARG NAME
ENV A=${NAME:?}
FROM debian:12
RUN true
