FROM debian:12 AS runtime
ENV A=1 B="two words"
ENV C 3 4
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
CMD ["a"]
