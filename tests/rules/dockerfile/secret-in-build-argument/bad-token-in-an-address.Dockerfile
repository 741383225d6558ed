FROM debian:12
ARG REPO
# expect: secret-in-build-argument
ENV URL=https://x:y1z2secret@github.com/$REPO
