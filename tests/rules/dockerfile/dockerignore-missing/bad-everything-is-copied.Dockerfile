# context without .dockerignore: .git/objects 812 MB, src/app.py 2 kB
FROM debian:12
# expect: dockerignore-missing
COPY . /app
