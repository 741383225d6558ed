FROM node:22
# expect: credential-file-copied
RUN --mount=type=secret,id=npm echo "//npm.example.com/:_authToken=$(cat /run/secrets/npm)" > ~/.npmrc && npm ci
# expect: credential-file-copied
RUN echo "machine example.com password $GH_TOKEN" | tee -a /root/.netrc
# expect: credential-file-copied
RUN cat <<E > /root/.pypirc
password = ${PYPI_TOKEN}
E
