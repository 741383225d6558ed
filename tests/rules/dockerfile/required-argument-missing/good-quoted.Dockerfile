FROM debian:12
ARG NAME
ENV A='${NAME:?}' B=\${NAME:?}
COPY <<'END' /etc/app
${NAME:?}
END
