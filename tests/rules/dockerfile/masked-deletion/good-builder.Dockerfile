FROM debian:12 AS builder
COPY . /src
RUN rm -rf /src/tests
FROM debian:12
COPY --from=builder /src /src
