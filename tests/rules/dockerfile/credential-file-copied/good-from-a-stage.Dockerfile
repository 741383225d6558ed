FROM debian:12 AS keys
RUN touch /server.key
FROM debian:12
COPY --from=keys /server.key /x
