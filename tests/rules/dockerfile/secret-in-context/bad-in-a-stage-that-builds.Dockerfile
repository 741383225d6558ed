# holds: src/client.py github-token
FROM python:3.13 AS build
# expect: secret-in-context
COPY src /src
FROM python:3.13
COPY --from=build /src/app /app
