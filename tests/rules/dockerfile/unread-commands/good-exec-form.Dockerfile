FROM debian:12
SHELL ["pwsh", "-Command"]
RUN ["/bin/ls", "-l"]
CMD Get-Date
