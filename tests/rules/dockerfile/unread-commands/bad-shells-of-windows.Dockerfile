FROM mcr.microsoft.com/windows/servercore:ltsc2022
# expect: unread-commands
RUN dir
SHELL ["powershell", "-Command"]
# expect: unread-commands
RUN Get-ChildItem
SHELL ["/bin/sh", "-c"]
RUN ls
