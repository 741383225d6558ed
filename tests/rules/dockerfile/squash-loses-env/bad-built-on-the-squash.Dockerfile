FROM debian:12 AS runtime
ENV A=1
FROM scratch AS flat
# expect: squash-loses-env
COPY --from=runtime / /
RUN true
FROM flat
RUN true
