"""A real image of Debian: what it needs is fetched, and what is found in it is what the records say."""

from __future__ import annotations

import io
import os
import subprocess
from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from tests.vulnerabilities import oracle
from tests.vulnerabilities.conftest import DATA

from hullmark._anatomy import Reading, dissect
from hullmark._cli import main
from hullmark._contents.inventory import inventory
from hullmark._vulnerabilities.lookup import needed
from hullmark._vulnerabilities.match import match

if TYPE_CHECKING:
    import threading
    from pathlib import Path

    from hullmark._process import Commands
    from hullmark._vulnerabilities.store import Store

pytestmark = pytest.mark.docker

IMAGE = "debian:bookworm-slim"
_ASK = ("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}\\n")


@pytest.mark.parametrize(
    "arguments", [("--image", f"docker:{IMAGE}"), ()], ids=["an image", "the project here"]
)
def test_what_an_image_needs_is_fetched(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "compose.yml").write_text(
        f"name: shop\nservices:\n  shop: {{build: ., image: {IMAGE}}}\n  none: {{build: ., image: hullmark-none}}\n",
        encoding="utf-8",
    )
    stdout, stderr = io.StringIO(), io.StringIO()
    code = main(
        ["-C", str(tmp_path), "db", "update", "--db-url", str(DATA / "osv"), *arguments],
        stdout=stdout,
        stderr=stderr,
        environ={**os.environ, "HULLMARK_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert (code, [line.partition(":")[0] for line in stdout.getvalue().splitlines()]) == (0, ["Debian"])
    unknown = "warning: what the image of none needs is not known: "
    assert (unknown in stderr.getvalue()) is not bool(arguments)


def test_an_image_of_debian_has_what_the_records_say_of_its_source_packages(
    real: Store, commands: Commands, cancelled: threading.Event
) -> None:
    asked = subprocess.run(
        ("docker", "run", "--rm", "--network=none", IMAGE, *_ASK), capture_output=True, text=True, check=True
    )
    every = oracle.records(DATA / "osv/Debian/all.zip")
    expected = {
        (name, version): ids
        for name, version in {tuple(line.split()) for line in asked.stdout.splitlines()}
        if (ids := set(oracle.affected("Debian:12", name, version, every)))
    }
    image = Reading(commands, os.environ, cancelled).image(f"docker:{IMAGE}")
    listed = inventory(dissect(image))
    assert [each.name for each in needed(listed)] == ["Debian"]
    result = match(listed, real)
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in result.matches:
        found[each.package, each.version] |= {evidence.record for evidence in each.evidence}
    assert found == expected
    assert expected
    assert not result.undecided
