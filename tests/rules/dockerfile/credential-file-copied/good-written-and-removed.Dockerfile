FROM node:22
RUN echo "//npm.example.com/:_authToken=${NPM_TOKEN}" > .npmrc && npm ci && rm -f .npmrc
RUN --mount=type=tmpfs,target=/root echo "machine x password $GH_TOKEN" > ~/.netrc && git clone https://x/y
RUN echo "registry=https://npm.example.com" > .npmrc && echo "$NPM_TOKEN" > /dev/null
