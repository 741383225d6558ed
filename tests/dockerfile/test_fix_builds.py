"""Fixes on a real engine: an image built before has the defect, the one built after has not, and is the same otherwise."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._dockerfile import fix_text, measure, parse
from hullmark._dockerfile.lint import lint
from hullmark._engines.digests import known_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._engines import Engine
    from hullmark._process import Commands

pytestmark = pytest.mark.docker


@pytest.fixture
def build(tmp_path: Path, engine: Engine) -> Iterator[Callable[..., Any]]:
    """Builds a Dockerfile's text and gives the image; all images are removed again."""
    made: list[str] = []

    def one(text: str, **arguments: str) -> Any:
        reference = f"hullmark-test-fix:{secrets.token_hex(6)}"
        (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
        options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
        # Where TLS is intercepted, what is installed in a build has to know by whom.
        options += ["--secret", f"id=ca,src={os.environ.get('SSL_CERT_FILE', '/dev/null')}"]
        subprocess.run(
            ["docker", "build", "--quiet", "--tag", reference, *options, str(tmp_path)],
            check=True,
            capture_output=True,
            timeout=300,
        )
        made.append(reference)
        return engine.client.images.get(reference)

    yield one
    for reference in made:
        engine.client.images.remove(reference, force=True, noprune=True)


def _fixed(text: str, rule: str, *, unsafe: bool = False, digests: Mapping[str, str] | None = None) -> str:
    """`text` with what `rule` offers made; the rule has something to say before, and nothing after."""

    def see(text: str) -> Any:
        return tuple(
            each for each in lint(parse(text, "Dockerfile"), digests=digests or {}) if each.rule == rule
        )

    assert see(text), "nothing to fix"
    after, made = fix_text(text, see, unsafe=unsafe)
    assert made
    assert not see(after)
    return after


SQUASHED = """\
FROM debian:bookworm-slim AS runtime
ARG RELEASE=1
ENV MODE=production BIN=/opt/bin RELEASE=$RELEASE
ENV TOOLS=$BIN/tools NOTE="two words"
{lost}FROM scratch
COPY --from=runtime / /
"""
COMMAND = "CMD exec sleep 1\n"
"""In the last stage, where it has an effect on what is looked at: it is for a shell."""


@pytest.mark.parametrize(
    ("rule", "lost", "key"),
    [
        ("squash-loses-user", "ARG WHO=33\nUSER ${WHO}:0\n", "User"),
        ("squash-loses-label", 'LABEL a=b c="$BIN and $RELEASE" \\\n  "d e"=f\n', "Labels"),
        ("squash-loses-expose", "ARG PORT=80\nEXPOSE $PORT 9090/udp\n", "ExposedPorts"),
        ("squash-loses-volume", 'RUN mkdir /data\nVOLUME ["/data"]\n', "Volumes"),
        ("squash-loses-workdir", "WORKDIR /srv\nWORKDIR app\n", "WorkingDir"),
        ("squash-loses-stopsignal", "STOPSIGNAL SIGINT\n", "StopSignal"),
        ("squash-loses-entrypoint", 'ENTRYPOINT ["/bin/echo", \\\n  "a"]\n', "Entrypoint"),
        ("squash-loses-cmd", "CMD echo \\\n  # why\n  $MODE\n", "Cmd"),
        ("missing-healthcheck", "HEALTHCHECK --timeout=2s CMD test -e /\n", "Healthcheck"),
        ("squash-loses-shell", 'SHELL ["/bin/bash", "-eu", "-c"]\n', "Shell"),
    ],
)
def test_what_a_squash_lost_is_as_it_was_upstream(
    build: Callable[..., Any], rule: str, lost: str, key: str
) -> None:
    text = SQUASHED.format(lost=lost)
    text += COMMAND if key == "Shell" else ""
    upstream = build(text.partition("FROM scratch")[0]).attrs["Config"].get(key)
    if key == "Labels":
        upstream.pop("io.hullmark.base", None)  # of the base image, which the file does not know
    before = build(text).attrs["Config"].get(key)
    after = build(_fixed(text, rule, unsafe=True)).attrs["Config"].get(key)
    assert upstream
    assert before != upstream
    assert after == upstream


def test_an_environment_that_a_squash_lost_is_as_it_was_upstream_also_for_other_arguments(
    build: Callable[..., Any],
) -> None:
    text = SQUASHED.format(lost="ENV PATH=$BIN:$PATH\n")
    after = _fixed(text, "squash-loses-env", unsafe=True)

    def environment(text: str) -> dict[str, str]:
        image = build(text, RELEASE="2")
        return dict(each.split("=", 1) for each in image.attrs["Config"]["Env"])

    upstream = environment(text.partition("FROM scratch")[0])
    assert set(environment(text)) == {"PATH"}
    assert environment(after) == upstream
    assert upstream["RELEASE"] == "2"
    assert upstream["TOOLS"] == "/opt/bin/tools"


def test_the_version_label_takes_the_version_of_the_build(build: Callable[..., Any]) -> None:
    label = "org.opencontainers.image.version"
    for text, rule in (
        ("FROM scratch\nCOPY Dockerfile /\n", "missing-version-label"),
        (f"FROM scratch\nCOPY Dockerfile /\nLABEL a=b {label}=1.4\n", "version-label-not-from-arg"),
    ):
        after = _fixed(text, rule)
        assert (build(text, VERSION="9").attrs["Config"]["Labels"] or {}).get(label) != "9"
        assert build(after, VERSION="9").attrs["Config"]["Labels"][label] == "9"


def test_a_timeout_that_is_written_down_is_the_one_that_counted(build: Callable[..., Any]) -> None:
    text = 'FROM scratch\nCOPY Dockerfile /\nHEALTHCHECK --retries=2 CMD ["/x"]\n'
    after = build(_fixed(text, "healthcheck-without-timeout")).attrs["Config"]["Healthcheck"]
    before = build(text).attrs["Config"]["Healthcheck"]
    assert "Timeout" not in before
    assert after == {**before, "Timeout": 30 * 10**9}


def test_lists_of_apt_are_gone_and_what_was_installed_is_there(
    build: Callable[..., Any], engine: Engine
) -> None:
    text = (
        "FROM debian:bookworm-slim\n"
        "RUN apt-get update \\\n  && apt-get install -y --no-install-recommends hello\n"
    )
    after = _fixed(text, "apt-lists-left")
    look = ["sh", "-c", "ls /var/lib/apt/lists | wc -l; hello"]
    counts = {}
    for name, each in (("before", text), ("after", after)):
        said = engine.client.containers.run(build(each).id, look, remove=True, network_mode="none").decode()
        count, greeting = said.split("\n", 1)
        counts[name] = int(count)
        assert greeting.startswith("Hello")
    assert counts["before"] > 0
    assert counts["after"] == 0


@pytest.mark.parametrize(
    "installing",
    [
        "RUN apt-get install -y --no-install-recommends hello",
        "RUN set -eu; apt-get install -y --no-install-recommends hello",
        "RUN <<E\nset -e\napt-get install -y --no-install-recommends hello\nE",
    ],
    ids=["chain", "strict", "script"],
)
def test_an_update_that_stood_alone_is_made_where_its_lists_are_used(
    build: Callable[..., Any], engine: Engine, installing: str
) -> None:
    text = f"FROM debian:bookworm-slim\nRUN apt-get update\n{installing}\n"
    after = _fixed(text, "apt-update-alone")
    images = [build(each) for each in (text, after)]
    look = "hello; ls /var/lib/apt/lists"
    assert _in(engine, images[0], look) == _in(engine, images[1], look)
    assert len(images[1].attrs["RootFS"]["Layers"]) == len(images[0].attrs["RootFS"]["Layers"]) - 1


def _in(engine: Engine, image: Any, command: str) -> str:
    """What a shell in a container of the image prints."""
    said: bytes = engine.client.containers.run(
        image.id, ["sh", "-c", command], remove=True, network_mode="none"
    )
    return said.decode()


def test_recommended_packages_are_not_installed_and_what_was_asked_for_is(
    build: Callable[..., Any], engine: Engine
) -> None:
    text = "FROM debian:bookworm-slim\nRUN apt-get update && apt-get install -y wget && rm -rf /var/lib/apt/lists/*\n"
    after = _fixed(text, "apt-recommends", unsafe=True)
    look = (
        "dpkg-query --show --showformat '${db:Status-Status} ${Package}\\n' wget ca-certificates"
        " | sed -n 's/^installed //p'"
    )
    assert _in(engine, build(text), look).split() == ["ca-certificates", "wget"]
    assert _in(engine, build(after), look).split() == ["wget"]


PIP = """\
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
RUN --mount=type=secret,id=ca if [ -s /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi \\
    && pip install --break-system-packages --no-binary idna idna==3.10
"""
"""Builds a wheel, which is kept whatever a proxy on the way says about what it hands out."""


def test_the_cache_of_pip_is_gone_and_what_was_installed_is_there(
    build: Callable[..., Any], engine: Engine
) -> None:
    after = _fixed(PIP, "pip-cache-kept")
    look = (
        "find /root/.cache/pip -type f 2>/dev/null | wc -l; python3 -c 'import idna; print(idna.__version__)'"
    )
    before = _in(engine, build(PIP), look).split()
    assert int(before[0]) > 0
    assert before[1] == "3.10"
    assert _in(engine, build(after), look).split() == ["0", "3.10"]


def _steps_made_anew(directory: Path, text: str) -> list[str]:
    """Of the steps of a build those that did not come out of the cache."""
    (directory / "Dockerfile").write_text(text, encoding="utf-8")
    argv = ("docker", "build", "--progress", "plain", "--output", "type=cacheonly", str(directory))
    said = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=300).stderr
    steps = dict(re.findall(r"^#(\d+) \[(?:stage-0 +)?\d+/\d+\] (.*)$", said, re.MULTILINE))
    cached = set(re.findall(r"^#(\d+) CACHED$", said, re.MULTILINE))
    return [step for number, step in steps.items() if number not in cached and not step.startswith("FROM")]


def test_dependencies_are_not_installed_again_when_only_sources_change(tmp_path: Path) -> None:
    text = f"{PIP.partition('RUN --mount')[0]}WORKDIR /app\nCOPY . .\nRUN pip install --break-system-packages --no-cache-dir -r requirements.txt\n"
    after = _fixed(text, "sources-before-dependencies", unsafe=True)
    (tmp_path / "requirements.txt").write_text("", encoding="utf-8")
    again: dict[str, list[str]] = {}
    for name, each in (("before", text), ("after", after)):
        for _ in range(2):
            (tmp_path / "app.py").write_text(secrets.token_hex(8), encoding="utf-8")
            again[name] = [step.partition(" ")[0] for step in _steps_made_anew(tmp_path, each)]
    assert again == {"before": ["COPY", "RUN"], "after": ["COPY"]}


EVERYTHING = (
    "cd / && find . -xdev \\( -path ./proc -o -path ./sys -o -path ./dev -o -path ./etc/hosts -o -path ./etc/hostname"
    " -o -path ./etc/resolv.conf \\) -prune -o -printf '%p %M %U:%G %l\\n' | sort"
    " && find /usr/local /srv -type f -exec sha256sum {} + | sort"
)
"""What is there, with modes and owners, and the contents where something came after the base."""


def test_the_safe_move_of_sources_leaves_the_image_as_it_is(
    build: Callable[..., Any], engine: Engine, tmp_path: Path
) -> None:
    install = "pip install --break-system-packages --no-cache-dir --no-compile --no-index"
    above = f"{PIP.partition('RUN --mount')[0]}WORKDIR /srv/app\nCOPY . .\n"
    text = f"{above}RUN {install} -r requirements.txt\n"
    for name, content in {
        "requirements.txt": "wheel ; python_version >= '3' # the distribution has it\n",
        "wheel.py": "raise SystemExit('of the sources')\n",
        "app/main.py": "import wheel\n",
        ".dockerignore": "Dockerfile\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")

    def see(text: str) -> Any:
        dockerfile = tmp_path / "Dockerfile"
        dockerfile.write_text(text, encoding="utf-8")
        read = parse(text, "Dockerfile")
        context = measure(read.recipe(), tmp_path, context=tmp_path, dockerfile=dockerfile)
        return tuple(
            each for each in lint(read, context=context) if each.rule == "sources-before-dependencies"
        )

    after, made = fix_text(text, see)
    assert len(made) == 1
    assert after.index("RUN pip install") < after.index("COPY . .")
    before_tree, after_tree = (_in(engine, build(each), EVERYTHING) for each in (text, after))
    assert "./srv/app/app/main.py" in before_tree
    assert before_tree == after_tree


@pytest.mark.parametrize("command", ["/wait", "/wait $MODE"])
def test_a_program_gets_the_signals_that_a_shell_kept_from_it(
    build: Callable[..., Any], engine: Engine, command: str
) -> None:
    text = (
        "FROM debian:bookworm-slim\n"
        "ENV MODE=fast\n"
        "COPY --chmod=755 <<'E' /wait\n"
        "#!/bin/bash\n"
        "trap 'echo \"stopped $*\"; exit 0' TERM\n"
        "echo up\n"
        "while :; do sleep 0.05; done\n"
        "E\n"
        f"CMD {command}\n"
    )
    after = _fixed(text, "shell-form-entrypoint", unsafe=True)
    for each, stops in ((text, False), (after, True)):
        container = engine.client.containers.run(build(each).id, detach=True, network_mode="none")
        try:
            deadline = time.monotonic() + 30
            while b"up" not in container.logs():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            container.kill("SIGTERM")
            if stops:
                assert container.wait(timeout=30)["StatusCode"] == 0
                expected = "up\nstopped fast\n" if "$" in command else "up\nstopped \n"
                assert container.logs().decode() == expected
            else:
                time.sleep(1)
                container.reload()
                assert container.status == "running"
        finally:
            container.remove(force=True)


@pytest.mark.parametrize(
    "text",
    [
        "FROM scratch\nCOPY Dockerfile /\nARG VERSION\nLABEL {label}=$VERSION\n",
        "FROM scratch AS base\nCOPY Dockerfile /\nARG VERSION\nFROM base\nLABEL {label}=$VERSION\n",
        "FROM scratch AS files\nCOPY Dockerfile /\nARG VERSION=dev\nFROM scratch\nCOPY --from=files / /\nLABEL {label}=$VERSION\n",
        "ARG VERSION=dev\nFROM scratch\nCOPY Dockerfile /\nLABEL {label}=$VERSION\n",
    ],
    ids=["without-a-default", "in-the-stage-below", "of-another-stage", "before-the-first-stage"],
)
def test_a_version_that_nobody_passes_is_not_empty(build: Callable[..., Any], text: str) -> None:
    label = "org.opencontainers.image.version"
    text = text.format(label=label)
    after = _fixed(text, "version-argument-without-default")
    assert build(text).attrs["Config"]["Labels"][label] == ""
    assert build(after).attrs["Config"]["Labels"][label] == "dev"
    assert build(after, VERSION="9").attrs["Config"]["Labels"][label] == "9"


def test_a_pinned_base_is_the_one_that_the_engine_has_from_the_registry(
    build: Callable[..., Any], engine: Engine, commands: Commands, registry: str
) -> None:
    base = f"{registry}/hullmark-test-base:1"
    first = build("FROM scratch\nCOPY Dockerfile /first\n")
    first.tag(base)
    try:
        engine.client.images.push(base)
        text = f"FROM {base}\nCOPY Dockerfile /\n"
        digests = known_digests([base], commands)
        after = _fixed(text, "unpinned-base-image", unsafe=True, digests=digests)
        assert after.startswith(f"FROM {base}@sha256:")
        assert build(after).attrs["RootFS"]["Layers"][:1] == first.attrs["RootFS"]["Layers"]
    finally:
        engine.client.images.remove(base, force=True, noprune=True)


def test_every_fix_is_built_here() -> None:
    cases = Path(__file__).parents[1] / "rules" / "dockerfile"
    fixed = {path.parent.name for path in cases.glob("*/*fixed")}
    assert fixed <= set(re.findall(r'"([a-z-]+)"', Path(__file__).read_text(encoding="utf-8")))
