FROM python:3.13
# expect: pip-cache-kept @3:9
RUN pip install -r requirements.txt
# expect: pip-cache-kept @5:38
RUN true && /opt/venv/bin/pip3.13 -q install a
# expect: pip-cache-kept @7:23
RUN python3 -I -m pip install a
