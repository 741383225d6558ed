FROM debian:12 AS runtime
LABEL org.opencontainers.image.title="a title" "com.example.x"=y
FROM scratch
# expect: squash-loses-label
COPY --from=runtime / /
