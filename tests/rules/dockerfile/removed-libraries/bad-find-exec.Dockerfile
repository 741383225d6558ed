FROM python:3.13-slim
# expect: removed-libraries
RUN find / -xdev -iname "lib*.so*" -exec rm -f {} +
