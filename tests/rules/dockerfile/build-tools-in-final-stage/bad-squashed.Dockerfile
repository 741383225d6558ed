FROM debian:12 AS runtime
# expect: build-tools-in-final-stage
RUN apt-get install -y g++ cmake
RUN apt-get purge -y g++
FROM scratch
COPY --from=runtime / /
