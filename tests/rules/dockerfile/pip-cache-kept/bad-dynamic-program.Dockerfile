FROM python:3.13
# expect: pip-cache-kept @3:33
RUN ["/bin/bash", "-c", "$A/pip install a"]
