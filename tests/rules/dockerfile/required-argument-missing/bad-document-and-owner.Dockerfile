FROM debian:12
ARG OWNER
ARG TEXT
# expect: required-argument-missing @6:6
# expect: required-argument-missing @8:15
COPY --chown=${OWNER:?} <<END /etc/app
plain
text: 'it is "${TEXT:?}
END
