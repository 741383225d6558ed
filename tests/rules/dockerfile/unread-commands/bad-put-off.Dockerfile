FROM debian:12
# expect: unread-commands
ONBUILD RUN Get-Item x
SHELL ["pwsh", "-c"]
