FROM debian:12
RUN python3 <<EOF
print(1)
EOF
RUN cat <<EOF > /a && echo done
it is (
EOF
