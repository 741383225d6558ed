FROM node:22
# expect: sources-before-dependencies
COPY . .
RUN npm ci && npm run build
