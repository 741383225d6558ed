FROM debian:12 AS runtime
ENV ROOT=/srv
ENV BIN=$ROOT/bin LIB=${ROOT}/lib
ENV BIN=/opt/bin:$BIN
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
