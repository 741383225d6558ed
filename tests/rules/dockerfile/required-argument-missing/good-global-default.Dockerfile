# The builder gives up such a default without a word.
ARG A
ARG B=${A:?}
FROM debian:12
