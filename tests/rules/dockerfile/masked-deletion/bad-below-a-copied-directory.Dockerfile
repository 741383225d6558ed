FROM debian:12
WORKDIR /app
COPY . .
# expect: masked-deletion
RUN rm -rf tests docs && true
