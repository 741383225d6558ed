# non-root
FROM debian:12
ARG APP_USER
# expect: root-in-final-stage
USER ${APP_USER:-root}
