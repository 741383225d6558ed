# shellcheck shell=bash
# What scripts/engine and scripts/base-images both need to know about a Debian host. Sourced, never run.

# The tests put another distribution's file here.
readonly OS_RELEASE=${HULLMARK_OS_RELEASE:-/etc/os-release}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() { # fail EXIT-STATUS MESSAGE...
    local status=$1
    shift
    say "$*"
    exit "$status"
}

is_root() { [[ $(id -u) == 0 ]]; }

# One field of os-release, in a subshell so that its variables stay there.
os_release() {
    (
        # shellcheck source=/dev/null
        [[ ! -r $OS_RELEASE ]] || . "$OS_RELEASE"
        printf '%s' "${!1-}"
    )
}

may_install() { is_root && [[ $(os_release ID) == debian ]]; }

# The host's own Debian archive as "codename address" lines. apt is asked, rather than its files parsed, because it
# knows both file formats, which entries are enabled, and which of them Debian itself signed.
debian_archive() {
    # shellcheck disable=SC2016 # apt's placeholders, not the shell's
    apt-get indextargets --format '$(ORIGIN) $(COMPONENT) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
        awk '$1 == "Debian" && $2 == "main" && !seen[$3]++ { print $3, $4 }'
}

# A debian.sources file for CODENAME, its updates and its security suite, from the mirrors this host already uses.
# No address is written down here: a company's mirror stays a company's mirror.
debian_sources() { # debian_sources CODENAME
    local own suite address
    own=$(os_release VERSION_CODENAME)
    debian_archive | while read -r suite address; do
        case $suite in
        "$own" | "$own-updates" | "$own-security")
            printf '%s\n' 'Types: deb' "URIs: $address" "Suites: ${suite/#$own/$1}" 'Components: main' \
                'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' ''
            ;;
        esac
    done
}

# apt's lists may have been removed, as in most container images; without them nothing is known about origins.
refresh_debian_archive() { # refresh_debian_archive LOG
    [[ -n $(debian_archive) ]] || quietly "$1" apt-get update || return 1
    [[ -n $(debian_archive) ]] || { say "apt's sources name no Debian archive" && return 1; }
}

# Runs a command with its output in LOG, and shows the end of that log only when the command fails.
quietly() { # quietly LOG COMMAND...
    local log=$1
    shift
    if ! "$@" </dev/null >>"$log" 2>&1 9>&-; then
        say "$1 failed:"
        show_tail "$log"
        return 1
    fi
}

show_tail() { tail -n 20 -- "$1" | sed 's/^/    /' >&2 || true; }
