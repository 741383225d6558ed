"""What was built upon a base image is not reused when its name stands for another one; nor what is to be built anew."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._ci.bases import LABEL
from hullmark._cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

pytestmark = pytest.mark.docker
Checkout = Any
"""Of the conftest, which is no module to import from."""
REUSED = "reused: the local image was built from the same inputs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A project of two services upon a base image with a tag, one of them upon the other."""

    checkout: Checkout
    name: str
    environ: Mapping[str, str]

    @property
    def base(self) -> str:
        """The base image."""
        return f"{self.name}-base:1"

    def write(self, *, build: str = "", dockerfile: str | None = None) -> None:
        """Writes the project; `build` is added to how `z` is built."""
        label = f"labels: {{hullmark-test: {self.name}}}"
        self.checkout.write_all(
            {
                "compose.yml": "services:\n"
                f"  z: {{image: {self.name}-z, build: {{context: a, {label}{build}}}}}\n"
                f"  b: {{image: {self.name}-b, build: {{context: b, {label}}}}}\n",
                "a/Dockerfile": dockerfile or f"FROM {self.base}\nCOPY file /a\n",
                "a/file": "a",
                "b/Dockerfile": f"FROM {self.name}-z\nCOPY file /b\n",
                "b/file": "b",
            }
        )

    def make_base(self) -> None:
        """Gives the name of the base image to another one than before."""
        text = (
            f"FROM scratch\nLABEL hullmark-test={self.name}\nCOPY <<EOF /base\n{secrets.token_hex(8)}\nEOF\n"
        )
        _docker("build", "--quiet", "--tag", self.base, "-", stdin=text)

    def build(self, *arguments: str) -> dict[str, str | None]:
        """The note of each service's build."""
        out, err = io.StringIO(), io.StringIO()
        argv = ("-C", str(self.checkout.top), "build", "--format", "json", *arguments)
        assert main(argv, stdout=out, stderr=err, environ=self.environ) == 0, err.getvalue() + out.getvalue()
        return {each["service"]: each["reason"] for each in json.loads(out.getvalue())["outcomes"]}


def _docker(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(
        ("docker", *arguments), input=stdin, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def _id(image: str) -> str:
    return _docker("image", "inspect", "--format", "{{.Id}}", image)


@pytest.fixture
def bench(repository: Checkout, tmp_path: Path) -> Iterator[Bench]:
    """A project whose images are removed when the test is over."""
    name = f"hullmark-test-{secrets.token_hex(6)}"
    environ = {**repository.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")}
    made = Bench(checkout=repository, name=name, environ=environ)
    try:
        made.make_base()
        made.write()
        yield made
    finally:
        label = f"label=hullmark-test={name}"
        if found := _docker("image", "ls", "--all", "--quiet", "--no-trunc", "--filter", label):
            _docker("image", "rm", "--force", *set(found.split()))


def test_when_the_base_stands_for_another_image_everything_upon_it_is_built(bench: Bench) -> None:
    bench.build()
    first = _id(f"{bench.name}-z")
    assert bench.build("--reuse") == {"z": REUSED, "b": REUSED}
    bench.make_base()
    assert bench.build("--reuse") == {"z": None, "b": None}
    assert _id(f"{bench.name}-z") != first
    assert bench.build("--reuse") == {"z": REUSED, "b": REUSED}


def test_a_base_that_the_engine_does_not_have_is_not_taken_for_the_one_it_had(bench: Bench) -> None:
    def carried() -> str | None:
        found = _docker("image", "inspect", "--format", "{{json .Config.Labels}}", f"{bench.name}-z")
        label: str | None = json.loads(found).get(LABEL)
        return label

    bench.build()
    first = carried()
    assert str(first).startswith("sha256:")
    _docker("tag", bench.base, f"{bench.name}-kept:1")
    _docker("image", "rm", bench.base)
    with pytest.raises(AssertionError, match="failed-build"):  # nothing is there to say that it is the same
        bench.build("--reuse")
    _docker("tag", f"{bench.name}-kept:1", bench.base)
    assert bench.build("--reuse")["z"] == REUSED
    assert carried() == first


@pytest.mark.parametrize("key", ["no_cache", "pull"])
def test_what_asks_for_a_build_each_time_gets_one_and_so_does_what_is_built_upon_it(
    bench: Bench, key: str
) -> None:
    bench.write(build=f", {key}: true", dockerfile="FROM scratch\nCOPY file /a\n")
    bench.build()
    assert bench.build("--reuse") == {"z": None, "b": None}
    bench.write(build=f", {key}: false", dockerfile="FROM scratch\nCOPY file /a\n")
    bench.build()
    assert bench.build("--reuse") == {"z": REUSED, "b": REUSED}


def test_what_is_built_upon_another_service_is_built_after_it(bench: Bench) -> None:
    bench.build()
    bench.checkout.write_all({"a/file": secrets.token_hex(8)})
    bench.build()
    layers = ("image", "inspect", "--format", "{{json .RootFS.Layers}}")
    below, above = (json.loads(_docker(*layers, f"{bench.name}-{each}")) for each in "zb")
    assert above[: len(below)] == below


def test_what_was_built_upon_an_image_that_is_out_of_date_is_not_reused(bench: Bench) -> None:
    bench.build()
    bench.checkout.write_all({"a/file": secrets.token_hex(8)})
    bench.build("b")  # upon what there is of the other
    bench.build("z")
    assert bench.build("--reuse") == {"z": REUSED, "b": None}
    assert bench.build("--reuse") == {"z": REUSED, "b": REUSED}


def test_an_image_that_is_reused_gets_the_tags_that_a_build_gives_it(bench: Bench) -> None:
    bench.build()
    bench.write(build=f", tags: ['{bench.name}-z:one', '{bench.name}-z:two']")
    assert bench.build("--reuse") == {"z": REUSED, "b": REUSED}
    assert _id(f"{bench.name}-z:one") == _id(f"{bench.name}-z:two") == _id(f"{bench.name}-z")
