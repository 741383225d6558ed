FROM debian:12 AS runtime
CMD ["serve"]
FROM scratch
# expect: squash-loses-cmd
COPY --from=runtime / /
ENV A=1
LABEL a=b
