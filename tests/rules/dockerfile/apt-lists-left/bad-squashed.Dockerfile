FROM debian:12 AS runtime
# expect: apt-lists-left
RUN apt-get update && apt-get install curl
FROM scratch
COPY --from=runtime / /
