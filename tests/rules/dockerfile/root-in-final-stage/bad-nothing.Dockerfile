# non-root
# expect: root-in-final-stage
FROM scratch
COPY app /app
