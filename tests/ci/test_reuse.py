"""An image that was built from the same inputs is not built again, wherever it is."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.digest import LABEL
from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.docker
ROOT = Path(__file__).resolve().parents[2]
Checkout = Any
"""Of the conftest, which is no module to import from."""


@dataclass(kw_only=True)
class Bench:
    """A project with two images, which are removed when the test is over."""

    checkout: Checkout
    image: str
    environ: Mapping[str, str]

    def hullmark(self, *arguments: str) -> tuple[int, str, str]:
        """What a command answers."""
        out, err = io.StringIO(), io.StringIO()
        code = main(("-C", str(self.checkout.top), *arguments), stdout=out, stderr=err, environ=self.environ)
        return code, out.getvalue(), err.getvalue()

    def build(self, *arguments: str) -> dict[str, str | None]:
        """The note of each service's build."""
        code, out, err = self.hullmark("build", "--format", "json", *arguments)
        assert code == 0, err
        return {each["service"]: each["reason"] for each in json.loads(out)["outcomes"]}

    def labels(self, image: str) -> dict[str, str]:
        """The labels of a local image."""
        labels: dict[str, str] = json.loads(
            _docker("image", "inspect", image, "--format", "{{json .Config.Labels}}")
        )
        return labels


def _docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _compose(image: str) -> str:
    return (
        "services:\n"
        f"  a: {{image: {image}-a, build: {{context: a, labels: {{own: label, hullmark-test: {image}}}}}}}\n"
        f"  b: {{image: '{image}-b', build: {{context: b, labels: {{hullmark-test: {image}}}}}}}\n"
    )


@contextmanager
def _bench(checkout: Checkout, tmp_path: Path, image: str) -> Iterator[Bench]:
    checkout.commit(
        {
            "compose.yml": _compose(image),
            "a/Dockerfile": 'FROM scratch\nLABEL inside="yes"\nCOPY . /\n',
            "a/file": secrets.token_hex(8),
            "b/Dockerfile": "FROM scratch\nCOPY file /\n",
            "b/file": secrets.token_hex(8),
        }
    )
    environ = {**checkout.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    try:
        yield Bench(checkout=checkout, image=image, environ=environ)
    finally:
        # Those that lost their name to a later one as well.
        label = f"label=hullmark-test={image}"
        if found := _docker("image", "ls", "--all", "--quiet", "--no-trunc", "--filter", label):
            _docker("image", "rm", "--force", *set(found.split()))


@pytest.fixture
def bench(repository: Checkout, tmp_path: Path) -> Iterator[Bench]:
    """A project whose images have names of this machine."""
    with _bench(repository, tmp_path, f"hullmark-test-{secrets.token_hex(6)}") as made:
        yield made


def test_what_was_built_from_the_same_inputs_is_not_built_again(bench: Bench) -> None:
    assert bench.build() == {"a": None, "b": None}
    first = bench.labels(f"{bench.image}-a")
    assert first[LABEL].startswith("sha256:")
    assert (first["own"], first["inside"]) == ("label", "yes")
    note = "reused: the local image was built from the same inputs"
    assert bench.build("--reuse") == {"a": note, "b": note}
    assert bench.build() == {"a": None, "b": None}  # without being asked nothing is left out
    bench.checkout.write_all({"a/file": "changed"})
    assert bench.build("--reuse") == {"a": None, "b": note}
    assert bench.labels(f"{bench.image}-a")[LABEL] != first[LABEL]
    _docker("image", "rm", f"{bench.image}-b")
    assert bench.build("--reuse", "b") == {"b": None}


def test_the_report_says_what_was_reused(bench: Bench) -> None:
    bench.build()
    code, out, err = bench.hullmark("build", "--reuse")
    assert code == 0
    assert "build done: reused: the local image was built from the same inputs" in out
    assert "reused" in err


def test_an_image_that_somebody_else_built_is_built(bench: Bench) -> None:
    subprocess.run(
        ("docker", "compose", "build", "-q"), cwd=bench.checkout.top, check=True, capture_output=True
    )
    assert LABEL not in bench.labels(f"{bench.image}-a")
    assert bench.build("--reuse") == {"a": None, "b": None}


def test_what_differs_from_the_last_build_is_explained(bench: Bench) -> None:
    bench.build()
    assert bench.hullmark("affected", "--explain")[1].count("as recorded") == 2
    bench.checkout.write_all({"b/file": "changed", "a/new": "1"})
    _, out, _ = bench.hullmark("affected", "--explain")
    assert "  file file: 100644 " in out
    assert "  file new: new\n" in out


def test_a_build_that_fails_is_not_recorded(bench: Bench) -> None:
    bench.checkout.write_all({"b/Dockerfile": "FROM scratch\nCOPY missing /\n"})
    code, _, _ = bench.hullmark("build", "b")
    assert code == 1
    assert bench.hullmark("affected", "--explain")[1].count("nothing is recorded") == 2


def test_outside_of_a_repository_inputs_have_a_digest_as_well(bench: Bench) -> None:
    bench.build()
    (bench.checkout.top / ".git").rename(bench.checkout.top / "not-git")
    assert set(bench.build("--reuse").values()) == {"reused: the local image was built from the same inputs"}


def test_what_the_registry_has_is_pulled_by_its_digest(
    repository: Checkout, tmp_path: Path, registry: str
) -> None:
    with _bench(repository, tmp_path, f"{registry}/hullmark-test-{secrets.token_hex(6)}") as bench:
        assert bench.build("--reuse") == {"a": None, "b": None}  # there is none yet
        name = f"{bench.image}-a"
        wanted = bench.labels(name)
        _docker("push", "--quiet", name)
        _docker("image", "rm", "--force", name)
        note = bench.build("--reuse", "a")["a"]
        assert str(note).startswith(f"reused: {name}@sha256:")
        assert bench.labels(name) == wanted
        bench.checkout.write_all({"a/file": "changed"})
        assert bench.build("--reuse", "a") == {"a": None}
