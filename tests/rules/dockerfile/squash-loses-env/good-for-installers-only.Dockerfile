FROM debian:12 AS runtime
ENV DEBIAN_FRONTEND=noninteractive PIP_NO_CACHE_DIR=1 UV_COMPILE_BYTECODE=1
ENV npm_config_cache=/tmp/npm
FROM scratch
COPY --from=runtime / /
