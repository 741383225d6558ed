FROM node:22
WORKDIR /app
# expect: sources-before-dependencies @4:1
COPY ./ ./
RUN npm ci --no-audit --cache /tmp/npm --omit=dev
