"""Fixes on a real engine: an image built before has the defect, the one built after has not, and is the same otherwise."""

from __future__ import annotations

import secrets
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._dockerfile import fix_text, lint, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hullmark._engines import Engine

pytestmark = pytest.mark.docker


@pytest.fixture
def build(tmp_path: Path, engine: Engine) -> Iterator[Callable[..., Any]]:
    """Builds a Dockerfile's text and gives the image; all images are removed again."""
    made: list[str] = []

    def one(text: str, **arguments: str) -> Any:
        reference = f"hullmark-test-fix:{secrets.token_hex(6)}"
        (tmp_path / "Dockerfile").write_text(text, encoding="utf-8")
        options = [word for name, value in arguments.items() for word in ("--build-arg", f"{name}={value}")]
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


def _fixed(text: str, rule: str, *, unsafe: bool = False) -> str:
    """`text` with what `rule` offers made; the rule has something to say before, and nothing after."""

    def see(text: str) -> Any:
        return tuple(each for each in lint(parse(text, "Dockerfile")) if each.rule == rule)

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
    ],
)
def test_what_a_squash_lost_is_as_it_was_upstream(
    build: Callable[..., Any], rule: str, lost: str, key: str
) -> None:
    text = SQUASHED.format(lost=lost)
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
