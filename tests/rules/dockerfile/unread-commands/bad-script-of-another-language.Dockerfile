FROM debian:12
# expect: unread-commands
RUN <<EOF
#!/usr/bin/env python3
print(1)
EOF
