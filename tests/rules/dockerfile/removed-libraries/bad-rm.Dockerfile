FROM python:3.13-slim AS build
# expect: removed-libraries @3:21
RUN strip /app/x && rm -f /usr/lib/*/libLLVM*.so.* 
FROM scratch
COPY --from=build / /
