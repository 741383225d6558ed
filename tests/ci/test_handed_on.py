"""What a base image that the engine has hands on to what is built upon it is an input like any other."""

from __future__ import annotations

import io
import json
import subprocess
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci import evidence
from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Checkout = Any
"""Of the conftest, which is no module to import from."""


@pytest.fixture
def base() -> Iterator[str]:
    """The name of an image that the engine has, with ENV and ONBUILD."""
    name = f"hullmark-test/puts-off:{uuid.uuid4().hex[:12]}"
    text = "FROM scratch\nENV WHERE=app\nONBUILD COPY . /all\n"
    subprocess.run(
        ("docker", "build", "--quiet", "--tag", name, "-"),
        input=text.encode(),
        check=True,
        capture_output=True,
    )
    yield name
    subprocess.run(("docker", "rmi", "--force", name), check=True, capture_output=True)


def _affected(repository: Checkout, cache: Path) -> dict[str, Any]:
    out, err = io.StringIO(), io.StringIO()
    environ = {**repository.environ, "HULLMARK_CACHE_DIR": str(cache)}
    argv = ("-C", str(repository.top), "affected", "--format", "json")
    assert main(argv, stdout=out, stderr=err, environ=environ) == 0, err.getvalue()
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


@pytest.mark.docker
def test_what_a_base_image_puts_off_is_seen_as_long_as_the_engine_has_it(
    repository: Checkout, base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Files that were written a moment ago count as old ones.
    monkeypatch.setattr(evidence, "GRANULARITY", -3600.0)
    repository.commit(
        {"compose.yml": "services: {web: {build: .}}\n", "Dockerfile": f"FROM {base}\n", "a": "1"}
    )
    repository.write_all({"a": "2"})
    cache = tmp_path / "cache"
    report = _affected(repository, cache)
    assert report["build"] == ["web"]
    assert report["notes"] == []
    # The name may stand for another image tomorrow, so nothing of it is kept.
    subprocess.run(("docker", "rmi", "--force", base), check=True, capture_output=True)
    report = _affected(repository, cache)
    assert report["build"] == []
    told = f"what ONBUILD takes is not known of images that are not here: `{base}`"
    assert report["notes"] == [told]
    assert _affected(repository, cache)["notes"] == [told]  # by what is kept
