FROM node:22
RUN npm ci && rm -rf /root/.npm
RUN --mount=type=cache,target=/root/.npm npm ci
RUN rm -rf /root/.npm
RUN pip install --no-cache-dir flask
ENV GOCACHE=/cache
RUN go build ./...
RUN rm -rf /root/.cache
