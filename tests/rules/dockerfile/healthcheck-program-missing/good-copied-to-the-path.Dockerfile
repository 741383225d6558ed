FROM debian:12
ENV PATH=/opt/tools/bin:$PATH
COPY --from=tools /opt/tools /opt/tools
HEALTHCHECK CMD curl -f http://localhost/
