"""Links that lead to themselves, to one another, or to ever more of them: followed for a while, and never for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.calls import calls

from hullmark._anatomy import dissect, shipped, wanted
from hullmark._images.cache import Cache
from hullmark._images.reference import open_image
from hullmark.model.project import ServiceSettings
from hullmark.model.table import Entry, Kind
from hullmark.testing import ImageFiles, archive_of, docker_files, layer_tar

if TYPE_CHECKING:
    from pathlib import Path

ROUND = {
    "/self": "self",
    "/a": "b",
    "/b": "a",
    "/lib": "usr/lib",
    "/usr/lib": "../lib",
    "/etc/passwd": "passwd",
    "/var/lib/dpkg": "../lib/dpkg",
    "/opt/venv/lib/python3.11/site-packages": ".",
    "/app/node_modules/x": "../../app/node_modules/x",
    "/proc/self": ".",
}
CIRCLE = {f"/circle/{number}": f"/circle/{(number + 1) % 50}" for number in range(50)}
# Each is followed twice, so that there are 2 to the power of 60 steps to the end.
TWOFOLD = {f"/twofold-{number}": f"twofold-{number + 1}/../twofold-{number + 1}" for number in range(60)}
PROGRAM = b"\x7fELF\x02\x01\x01" + bytes(100)
CALLS = 500_000
"""More than following each link for a while takes, and nothing beside following them for ever."""
NEEDS = b'{"name": "app", "dependencies": {"x": "^1.0"}}'


@pytest.mark.parametrize("links", [ROUND, CIRCLE, TWOFOLD], ids=["round", "circle", "twofold"])
def test_links_that_lead_nowhere_end(tmp_path: Path, links: dict[str, str]) -> None:
    entries = [Entry(path=path, kind=Kind.SYMLINK, link=link) for path, link in links.items()]
    entries += [
        Entry(path="/twofold-60", kind=Kind.DIRECTORY),
        Entry(path="/bin/tool", kind=Kind.FILE, size=len(PROGRAM), mode=0o755),
        Entry(path="/app/package.json", kind=Kind.FILE, size=len(NEEDS)),
    ]
    layer = layer_tar(entries, {"/bin/tool": PROGRAM, "/app/package.json": NEEDS})
    first = next(iter(links))
    settings = {
        "Entrypoint": [f"{first}/tool"],
        "User": "somebody",
        "Env": [f"PATH={first}:{':'.join(links)}:/bin", "LD_LIBRARY_PATH=/usr/lib:/a"],
    }
    files = ImageFiles(layers=(layer, layer), settings=settings)
    path = tmp_path / "image.tar"
    path.write_bytes(archive_of(docker_files({"it:1": files}, legacy=True)))
    image = open_image(f"docker-archive:{path}", environ={}, request=wanted(contents=True), cache=Cache(None))
    looked_at = []
    calls(
        lambda: looked_at.append(shipped(dissect(image), service="it", settings=ServiceSettings())),
        most=CALLS,
    )
    (seen,) = looked_at
    assert seen.uid is None
    assert [(each.kind, each.name) for each in seen.missing] == [("npm", "x")]
    assert seen.anatomy.files.visible_bytes == len(PROGRAM) + len(NEEDS)
