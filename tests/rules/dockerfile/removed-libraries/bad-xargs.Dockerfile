FROM debian:12
# expect: removed-libraries
RUN find /venv -name "*.so" | xargs rm -f
