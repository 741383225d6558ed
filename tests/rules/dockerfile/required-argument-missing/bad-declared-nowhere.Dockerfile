FROM scratch
# expect: required-argument-missing @3:8
COPY ["${WHICH:?}", "/"]
