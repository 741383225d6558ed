FROM python:3.13
RUN echo "pip install a" && pip --version && pip download a && uv python install 3.13
RUN true # pip install a
RUN cat <<EOF > /run.sh
pip install a
EOF
ENTRYPOINT ["pip", "install", "a"]
