FROM debian:12
COPY ca.pem server.crt keyboard.json monkey.txt /etc/
