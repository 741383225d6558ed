# context: app/a/__pycache__/x.pyc 1 kB, app/a/x.py 1 kB
# .dockerignore: .git
FROM python:3.13
# expect: dockerignore-lets-in
COPY app/* /app/
