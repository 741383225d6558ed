FROM python:3.13-slim AS build
RUN rm -f /usr/lib/*.so
FROM python:3.13-slim
COPY --from=build /app /app
