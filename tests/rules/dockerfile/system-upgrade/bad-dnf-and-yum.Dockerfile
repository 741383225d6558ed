FROM fedora:42 AS tools
# expect: system-upgrade
RUN dnf -y --setopt=tsflags=nodocs upgrade --refresh && dnf clean all
# expect: system-upgrade
RUN sudo yum update -y
# expect: system-upgrade
RUN microdnf upgrade --nodocs --setopt install_weak_deps=0
# expect: system-upgrade
RUN dnf upgrade-minimal --security -y
FROM scratch
COPY --from=tools /a /a
