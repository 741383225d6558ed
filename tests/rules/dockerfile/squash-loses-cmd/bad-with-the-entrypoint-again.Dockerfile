FROM debian:12 AS runtime
ENTRYPOINT ["/e.sh"]
CMD ["serve"]
FROM scratch
# expect: squash-loses-cmd
COPY --from=runtime / /
ENTRYPOINT ["/e.sh"]
