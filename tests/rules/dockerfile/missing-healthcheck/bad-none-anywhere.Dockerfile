FROM python:3.13-slim AS builder
HEALTHCHECK CMD true
# expect: missing-healthcheck
FROM python:3.13-slim
COPY --from=builder /app /app
CMD ["python"]
