# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM python:3.13-slim
MAINTAINER somebody <somebody@example.org>
WORKDIR /usr/src/app
ONBUILD COPY requirements.txt /usr/src/app/
ONBUILD RUN pip install --no-cache-dir -r requirements.txt
ONBUILD ADD --chown=1000:1000 . /usr/src/app
ONBUILD ARG STAGE=prod
ONBUILD USER 1000
HEALTHCHECK NONE
ENTRYPOINT ["python"]
