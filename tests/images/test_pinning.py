"""Digests of today: what registries have under the names of images."""

from __future__ import annotations

import io
import os
import secrets
from typing import TYPE_CHECKING

import pytest

from hullmark._cli import main
from hullmark._images.pinning import digests_of_today

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from hullmark._engines import Engine
    from hullmark._process import Commands


@pytest.fixture
def pushed(engine: Engine, registry: str) -> tuple[str, str]:
    """An image that the registry has and the engine has not: its name and digest."""
    name = f"{registry}/hullmark-test-{secrets.token_hex(6)}:1"
    engine.client.images.get("debian:bookworm-slim").tag(name)
    try:
        engine.client.images.push(name)
        (known,) = engine.client.images.get(name).attrs["RepoDigests"]
    finally:
        engine.client.images.remove(name, force=True, noprune=True)
    return name, known.rpartition("@")[2]


@pytest.mark.docker
def test_a_name_has_the_digest_that_its_registry_has_for_it(
    pushed: tuple[str, str], registry: str, commands: Commands, cancelled: threading.Event
) -> None:
    name, digest = pushed
    found = digests_of_today([name, f"{registry}/is-not-there:1"], commands, os.environ, cancelled)
    assert found == {name: digest}


@pytest.mark.docker
def test_a_base_image_is_pinned_to_what_its_registry_has_where_that_is_asked_for(
    pushed: tuple[str, str], tmp_path: Path
) -> None:
    name, digest = pushed
    root = tmp_path / "project"
    root.mkdir()
    (root / ".git").mkdir()  # the search for a project ends here
    (root / "compose.yml").write_text("services:\n  web:\n    build: .\n", encoding="utf-8")
    (root / "Dockerfile").write_text(f"FROM {name} AS base\nFROM base\n", encoding="utf-8")

    def fixed(*options: str) -> str:
        stdout, stderr = io.StringIO(), io.StringIO()
        main(
            ["-C", str(root), "lint", "--fix", *options],
            stdout=stdout,
            stderr=stderr,
            environ=dict(os.environ),
        )
        return (root / "Dockerfile").read_text(encoding="utf-8").partition("\n")[0]

    assert fixed() == f"FROM {name} AS base"
    assert fixed("--unsafe-fixes") == f"FROM {name}@{digest} AS base"


def test_a_registry_that_does_not_answer_and_a_name_that_is_none_have_no_digest(
    commands: Commands, cancelled: threading.Event
) -> None:
    assert digests_of_today(["127.0.0.1:1/x:1", "NOT A NAME"], commands, os.environ, cancelled) == {}
