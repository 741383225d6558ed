FROM debian:12 AS builder
# expect: apt-update-alone
RUN apt-get update && apt-get upgrade -y
COPY a /a
RUN apt-get install -y gcc
FROM debian:12
COPY --from=builder /a /a
