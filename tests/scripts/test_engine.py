"""scripts/engine against fake programs: what it accepts, what it installs, and whom it stops."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Sandbox = Any  # defined in conftest.py, which --import-mode=importlib keeps out of reach

# Installs by writing the versions that the fake docker answers with, after noting what it was given to read.
INSTALLING_APT = """
for argument; do
    case $argument in
    Dir::Etc::SourceParts=*/sources) cat "${argument#*=}"/* >"$FAKE/seen-sources" ;;
    Dir::Etc::Preferences=*) cp "${argument#*=}" "$FAKE/seen-preferences" ;;
    esac
done
case "$*" in
indextargets*)
    echo "Stranger main bookworm http://stranger.example/debian/"
    echo "Debian main bookworm http://mirror.example/debian/"
    echo "Debian main bookworm-updates http://mirror.example/debian/"
    echo "Debian main bookworm-security http://mirror.example/debian-security/"
    ;;
*--simulate*) cat "$FAKE/plan" 2>/dev/null || true ;;
*install*)
    [[ "$*" != *docker-compose* ]] || echo 2.26.1-4 >"$FAKE/compose"
    [[ "$*" != *docker-buildx* ]] || echo 0.13.1+ds1 >"$FAKE/buildx"
    ;;
esac
"""

# Named dockerd, so that the kernel calls the process that too; its containerd outlives it, as after a kill -9.
RUNNING_DOCKERD = """
if [[ $1 == --version ]]; then echo "Docker version 26.1.5+dfsg1, build 0123abc"; exit; fi
"${0%/*}/containerd" &
echo "$$" >"${2:-/dev/null}"
trap 'rm -f "$FAKE/engine"; exit 0' TERM
sleep 0.3
echo 26.1.5+dfsg1 >"$FAKE/engine"
while :; do sleep 0.05; done
"""

IDLE = "while :; do sleep 0.05; done"


def alive(pid: int) -> bool:
    """Say whether a process exists and is not only waiting to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def install_calls(sandbox: Sandbox) -> list[str]:
    """Say how apt-get was asked to install something for real."""
    return [call for call in sandbox.calls("apt-get") if " install " in call and "--simulate" not in call]


@pytest.fixture
def stranger() -> Iterator[int]:
    """Run a process that the script has no business with."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def dockerd(sandbox: Sandbox) -> Sandbox:
    """Install a dockerd that runs, beside working plugins."""
    sandbox.answers(compose="2.26.1", buildx="0.13.1")
    sandbox.program("dockerd", RUNNING_DOCKERD)
    sandbox.program("containerd", IDLE)
    return sandbox


@pytest.mark.parametrize("arguments", [(), ("restart",), ("up", "down"), ("",)])
def test_anything_but_its_three_words_is_a_usage_error(sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    result = sandbox.run("engine", *arguments)
    assert result.returncode == 2
    assert "usage: scripts/engine up|down|status" in result.stderr


# --- what is there already -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "compose"),
    [("24.0.0", "2.20.0"), ("26.1.5+dfsg1", "2.26.1-4"), ("28.2.2", "v2.39.1"), ("100.0", "5.0.0")],
)
def test_a_good_engine_is_used_untouched(sandbox: Sandbox, engine: str, compose: str) -> None:
    sandbox.answers(engine=engine, compose=compose, buildx="v0.13.1")
    up, status = sandbox.run("engine", "up"), sandbox.run("engine", "status")
    assert (up.returncode, up.stderr) == (0, "")
    assert (status.returncode, status.stderr) == (0, "")
    assert up.stdout == status.stdout
    assert status.stdout.splitlines() == [
        f"engine {engine} at unix:///var/run/docker.sock, not started by this script",
        f"compose {compose}, buildx v0.13.1",
    ]
    assert not sandbox.calls("apt-get")
    assert not sandbox.calls("dockerd")
    assert not sandbox.state.exists()


@pytest.mark.parametrize("engine", ["20.10.24+dfsg1", "23.0.6", "9.99.0"])
def test_a_too_old_engine_is_named_and_left_alone(sandbox: Sandbox, engine: str) -> None:
    sandbox.answers(engine=engine, compose=None, buildx="0.13.1")
    result = sandbox.run("engine", "up")
    assert result.returncode == 3
    assert engine in result.stderr
    assert "24.0 or newer is needed" in result.stderr
    assert not sandbox.calls("apt-get")
    status = sandbox.run("engine", "status")
    assert status.returncode == 3
    assert f"{engine} (too old: 24.0 or newer is needed)" in status.stdout


@pytest.mark.parametrize("compose", ["2.19.1", "v2.6.0", "1.29.2"])
def test_a_too_old_compose_is_named(sandbox: Sandbox, compose: str) -> None:
    sandbox.answers(engine="26.1.5", compose=compose, buildx="0.13.1")
    result = sandbox.run("engine", "up")
    assert result.returncode == 3
    assert f"the Compose plugin is {compose}; 2.20 or newer is needed" in result.stderr
    assert not sandbox.calls("apt-get")
    assert sandbox.run("engine", "status").returncode == 3


def test_status_says_what_is_missing(sandbox: Sandbox) -> None:
    result = sandbox.run("engine", "status")
    assert result.returncode == 3
    assert result.stdout.splitlines() == [
        "no engine answers at unix:///var/run/docker.sock",
        "compose missing, buildx missing",
    ]


# --- where nothing may be installed ----------------------------------------------------------------------------


def not_root(sandbox: Sandbox) -> None:
    """Become an ordinary user."""
    sandbox.program("id", "echo 1000")


def not_debian(sandbox: Sandbox) -> None:
    """Move to another distribution."""
    (sandbox.root / "os-release").write_text("ID=fedora\nVERSION_ID=42\n", encoding="utf-8")


def no_linux(sandbox: Sandbox) -> None:
    """Move to where nothing names the distribution."""
    (sandbox.root / "os-release").unlink()


def old_debian(sandbox: Sandbox) -> None:
    """Move to a Debian whose libc is too old for the packages."""
    text = "ID=debian\nVERSION_ID=11\nVERSION_CODENAME=bullseye\n"
    (sandbox.root / "os-release").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("place", [not_root, not_debian, no_linux, old_debian])
@pytest.mark.parametrize("engine", [None, "26.1.5"])
def test_elsewhere_one_sentence_says_what_to_install(
    sandbox: Sandbox, place: Callable[[Sandbox], None], engine: str | None
) -> None:
    sandbox.answers(engine=engine, compose="2.26.1")
    place(sandbox)
    result = sandbox.run("engine", "up")
    assert result.returncode == 3
    assert result.stdout == ""
    sentence = result.stderr.splitlines()[-1]
    assert "Docker Engine 24.0 or newer with the Compose plugin 2.20 or newer and buildx" in sentence
    assert not install_calls(sandbox)
    assert sandbox.calls("dockerd") in ([], ["--version"])


@pytest.mark.parametrize(
    "host", ["tcp://build.example:2376", "ssh://build.example", "unix:///run/user/1/d.sock"]
)
def test_no_local_engine_is_started_for_a_foreign_endpoint(dockerd: Sandbox, host: str) -> None:
    result = dockerd.run("engine", "up", DOCKER_HOST=host)
    assert result.returncode == 3
    assert f"no engine answers at {host}" in result.stderr
    assert not dockerd.calls("dockerd")
    assert not dockerd.calls("apt-get")


# --- installing ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("compose", "buildx", "packages"),
    [
        (None, "0.13.1", ["docker-compose"]),
        ("2.26.1", None, ["docker-buildx"]),
        (None, None, ["docker-compose", "docker-buildx"]),
    ],
)
def test_only_the_missing_plugins_are_installed(
    sandbox: Sandbox, compose: str | None, buildx: str | None, packages: list[str]
) -> None:
    sandbox.answers(engine="28.2.2", compose=compose, buildx=buildx)
    sandbox.program("apt-get", INSTALLING_APT)
    result = sandbox.run("engine", "up")
    assert result.returncode == 0, result.stderr
    (call,) = install_calls(sandbox)
    assert call.partition("--no-remove ")[2].split() == packages
    assert not sandbox.calls("dockerd")


def test_on_debian_12_the_packages_come_from_a_pinned_second_suite_of_the_same_mirror(
    sandbox: Sandbox,
) -> None:
    sandbox.answers(engine="28.2.2", buildx="0.13.1")
    sandbox.program("apt-get", INSTALLING_APT)
    assert sandbox.run("engine", "up").returncode == 0
    sources = (sandbox.fake / "seen-sources").read_text(encoding="utf-8")
    stanzas = [
        dict(line.split(": ") for line in stanza.splitlines()) for stanza in sources.strip().split("\n\n")
    ]
    assert [(stanza["URIs"], stanza["Suites"]) for stanza in stanzas] == [
        ("http://mirror.example/debian/", "bookworm"),
        ("http://mirror.example/debian/", "bookworm-updates"),
        ("http://mirror.example/debian-security/", "bookworm-security"),
        ("http://mirror.example/debian/", "trixie"),
        ("http://mirror.example/debian/", "trixie-updates"),
        ("http://mirror.example/debian-security/", "trixie-security"),
    ]
    preferences = (sandbox.fake / "seen-preferences").read_text(encoding="utf-8")
    assert preferences.endswith("Package: *\nPin: release n=trixie*\nPin-Priority: 1\n")
    assert not (sandbox.state / "apt").exists()


def test_an_installation_that_would_upgrade_something_else_is_refused(sandbox: Sandbox) -> None:
    sandbox.answers(engine="28.2.2", buildx="0.13.1")
    sandbox.program("apt-get", INSTALLING_APT)
    plan = [
        "Inst libc6 [2.36-9] (2.41-12 Debian:13/stable [amd64])",
        "Inst docker-compose [1.29.2-3] (2.26.1-4 Debian:13/stable [amd64])",
        "Inst tini (0.19.0-1 Debian:12/oldstable [amd64])",
    ]
    (sandbox.fake / "plan").write_text("\n".join(plan) + "\n", encoding="utf-8")
    result = sandbox.run("engine", "up")
    assert result.returncode == 1
    assert "installing docker-compose would upgrade libc6 too; nothing was installed" in result.stderr
    assert not install_calls(sandbox)


def test_a_failing_apt_shows_the_end_of_its_log(sandbox: Sandbox) -> None:
    sandbox.answers(engine="28.2.2", buildx="0.13.1")
    noise = 'case "$*" in indextargets*) exec bash "$FAKE/apt" "$@" ;; esac; seq 1 500; echo "E: the mirror is away"; exit 100'
    (sandbox.fake / "apt").write_text(INSTALLING_APT, encoding="utf-8")
    sandbox.program("apt-get", noise)
    result = sandbox.run("engine", "up")
    assert result.returncode == 1
    assert "apt-get failed:" in result.stderr
    assert "    E: the mirror is away" in result.stderr
    assert len(result.stderr.splitlines()) < 30


# --- starting --------------------------------------------------------------------------------------------------


def test_up_starts_a_detached_engine_and_down_stops_it_with_its_containerd(dockerd: Sandbox) -> None:
    up = dockerd.run("engine", "up")
    assert up.returncode == 0, up.stderr
    assert "started by this script" in up.stdout
    assert "not started" not in up.stdout
    assert not dockerd.calls("apt-get")
    pid = int(dockerd.pidfile.read_text(encoding="utf-8"))
    (containerd,) = (int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[:1])
    assert os.getsid(pid) == pid
    descriptors = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    assert not [target for target in descriptors if target.startswith("pipe:") or target.endswith("/lock")]

    down = dockerd.run("engine", "down")
    assert (down.returncode, down.stderr) == (0, "engine: stopped\n")
    assert not alive(pid)
    assert not alive(containerd)
    again = dockerd.run("engine", "down")
    assert again.returncode == 0
    assert "nothing to stop" in again.stderr
    assert dockerd.run("engine", "status").returncode == 3


def test_two_concurrent_ups_start_one_engine(dockerd: Sandbox) -> None:
    first, second = dockerd.start("engine", "up"), dockerd.start("engine", "up")
    for process in (first, second):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "started by this script" in out
    assert len([call for call in dockerd.calls("dockerd") if call != "--version"]) == 1


def test_an_engine_that_dies_shows_the_end_of_its_log(dockerd: Sandbox) -> None:
    dockerd.program(
        "dockerd", '[[ $1 != --version ]] || exec echo "version 26.1.5,"; echo "no space left" >&2; exit 1'
    )
    started = time.monotonic()
    result = dockerd.run("engine", "up")
    assert result.returncode == 1
    assert "    no space left" in result.stderr
    assert "dockerd did not answer" in result.stderr
    assert time.monotonic() - started < 30


def test_a_stale_pid_file_that_names_a_stranger_is_replaced(dockerd: Sandbox, stranger: int) -> None:
    dockerd.pidfile.write_text(str(stranger), encoding="utf-8")
    result = dockerd.run("engine", "up")
    assert result.returncode == 0, result.stderr
    assert int(dockerd.pidfile.read_text(encoding="utf-8")) != stranger
    assert alive(stranger)


def test_a_dockerd_that_is_still_starting_is_waited_for(dockerd: Sandbox) -> None:
    with subprocess.Popen(
        [dockerd.root / "bin" / "dockerd", "--pidfile", dockerd.pidfile],
        env=dockerd.environment,
    ) as other:
        while not dockerd.pidfile.exists() or not dockerd.pidfile.read_text(encoding="utf-8").strip():
            time.sleep(0.01)
        result = dockerd.run("engine", "up")
        assert result.returncode == 0, result.stderr
        assert "not started by this script" in result.stdout
        assert "nothing to stop" in dockerd.run("engine", "down").stderr
        assert alive(other.pid)
        other.terminate()


# --- stopping --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("since", ["1", "", "0 0"])
@pytest.mark.parametrize("name", ["dockerd", "containerd"])
def test_down_never_stops_a_process_it_did_not_start(
    sandbox: Sandbox, stranger: int, name: str, since: str
) -> None:
    sandbox.state.mkdir()
    started = sandbox.state / "started"
    started.write_text(f"{name} {stranger} {since}\n", encoding="utf-8")
    result = sandbox.run("engine", "down")
    assert result.returncode == 0, result.stderr
    assert "nothing to stop" in result.stderr
    assert alive(stranger)
    assert not started.exists()


def test_down_leaves_a_foreign_engine_alone(sandbox: Sandbox, stranger: int) -> None:
    sandbox.answers(engine="26.1.5", compose="2.26.1", buildx="0.13.1")
    sandbox.pidfile.write_text(str(stranger), encoding="utf-8")
    result = sandbox.run("engine", "down")
    assert result.returncode == 0
    assert "nothing to stop" in result.stderr
    assert alive(stranger)
    assert sandbox.run("engine", "status").returncode == 0
