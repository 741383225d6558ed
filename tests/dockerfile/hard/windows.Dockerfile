# escape=`

FROM mcr.microsoft.com/windows/nanoserver:ltsc2022
SHELL ["powershell", "-Command"]
RUN Write-Host a; `
    # comment
    Write-Host C:\dir\
COPY a\b c:\
RUN echo `
