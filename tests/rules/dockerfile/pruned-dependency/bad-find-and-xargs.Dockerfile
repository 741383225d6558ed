# requirements.txt: Sphinx, tests
FROM python:3.13
COPY requirements.txt /
# expect: pruned-dependency
RUN pip install -r /requirements.txt && find /usr/lib/python3/site-packages -name tests | xargs rm -rf
