FROM debian:12 AS runtime
ENV A=old
ENV A=new B=$A C="of $A"
FROM scratch
# expect: squash-loses-env
COPY --from=runtime / /
