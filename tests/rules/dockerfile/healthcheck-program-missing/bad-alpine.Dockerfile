FROM docker.io/library/alpine:3.22@sha256:0000000000000000000000000000000000000000000000000000000000000000
RUN apk add --no-cache libpq
# expect: healthcheck-program-missing
HEALTHCHECK CMD ["sh", "-c", "curl -f http://localhost/"]
