FROM python:3.13-slim AS builder
# expect: secret-in-build-argument @3:5
ARG API_KEY
# expect: secret-in-build-argument @5:5
ENV SERVICE_KEY=${API_KEY}
FROM python:3.13-slim
COPY --from=builder /app /app
