FROM debian:12
CMD PORT=80 exec node $X
