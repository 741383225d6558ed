# non-root
ARG X
FROM python:3.13-slim
ENV UID=0
# expect: root-in-final-stage
USER ${UID}:0
