# escape=`
# Written for this test after the shape that such projects have; nothing of it was taken from any of them.
FROM mcr.example.com/windows/servercore:ltsc2022 AS installer
SHELL ["powershell", "-Command", "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue';"]
ENV PIER_VERSION=4.8.1 `
    PIER_HOME="C:\Program Files\Pier"
RUN $url = ('https://example.org/pier-{0}.zip' -f $env:PIER_VERSION); `
    Write-Host ('Downloading {0} ...' -f $url); `
    Invoke-WebRequest -Uri $url -OutFile 'pier.zip'; `
    # the archive is not needed afterwards
    Expand-Archive pier.zip -DestinationPath C:\pier; `
    Remove-Item pier.zip -Force

FROM mcr.example.com/windows/nanoserver:ltsc2022
COPY --from=installer C:\pier C:\pier
WORKDIR C:\pier
USER ContainerUser
RUN setx PATH "%PATH%;C:\pier\bin"
HEALTHCHECK --interval=5m CMD powershell -Command `
    try { exit 0 } catch { exit 1 }
ENTRYPOINT ["C:\\pier\\bin\\pier.exe"]
CMD ["--config", "C:\\pier\\conf.ini"]
