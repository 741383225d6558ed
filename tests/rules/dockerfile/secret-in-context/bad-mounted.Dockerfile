# holds: settings/pip.txt github-token
FROM python:3.13
# expect: secret-in-context
RUN --mount=type=bind,source=settings,target=/settings cp -r /settings /etc/app
