FROM debian:12
RUN <<EOF
#!/bin/bash -e
echo one
EOF
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN echo two
SHELL ["busybox", "sh", "-c"]
RUN echo three
