FROM debian:12 AS runtime
LABEL a=1
FROM runtime
