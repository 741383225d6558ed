FROM debian:12 AS runtime
RUN useradd app
USER app
FROM scratch
# expect: squash-loses-user
COPY --from=runtime / /
ENV A=1
CMD ["a"]
