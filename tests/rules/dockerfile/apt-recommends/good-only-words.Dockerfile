FROM debian:12
RUN echo apt-get install curl
RUN echo "apt-get install curl" && echo 'x; apt-get install y'
RUN true # apt-get install curl
RUN true \
#  && apt-get install curl \
 && false
RUN cat <<EOF > /help && apt-get remove x
apt-get install curl
EOF
RUN python3 <<EOF
apt-get install curl
EOF
RUN <<EOF
#!/usr/bin/env python3
apt-get install curl
EOF
LABEL usage="apt-get install curl"
CMD apt-get install curl
