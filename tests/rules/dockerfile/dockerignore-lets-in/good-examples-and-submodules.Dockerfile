# context: .env.example 20 B, vendor/lib/.git 40 B, environment/.environment 10 B
# .dockerignore: .git
FROM node:22
COPY . .
