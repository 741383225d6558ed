FROM debian:12
RUN echo "# hullmark: ignore=x" # hullmark: ignore=x
RUN <<EOF
# hullmark: ignore=x
EOF
