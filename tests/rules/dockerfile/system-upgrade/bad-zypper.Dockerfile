FROM opensuse/leap:15.6
# expect: system-upgrade
RUN zypper --non-interactive --gpg-auto-import-keys update --no-recommends
# expect: system-upgrade
RUN zypper -n dup --from main && zypper clean -a
# expect: system-upgrade
RUN zypper -n patch --category security
