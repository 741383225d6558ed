FROM debian:12 AS runtime
ENTRYPOINT ["/entrypoint.sh"]
CMD ["serve"]
FROM scratch
COPY --from=runtime / /
CMD ["/entrypoint.sh", "serve"]
