FROM python:3.13 AS builder
# expect: pip-cache-kept @5:5
RUN <<EOF
set -e
pip install a
EOF
FROM python:3.13
COPY --from=builder /usr/local /usr/local
