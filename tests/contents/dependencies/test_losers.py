"""What an image lacks goes to the instruction that took it away, also in the stage that it was squashed from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import image_of

from hullmark._anatomy import dissect
from hullmark._contents.losers import with_losers
from hullmark._dockerfile import parse
from hullmark.model.dependency import Missing, Problem
from hullmark.model.image import HistoryEntry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.image import Image

SITE = "/opt/lib/python3.11/site-packages"
MODULES = "/app/node_modules"
THERE = {
    "/usr/lib/libx.so.1": "x",
    f"{SITE}/Some_Lib-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Some-Lib\nVersion: 1.0\n",
    f"{SITE}/some_lib/__init__.py": "x",
    f"{MODULES}/@own/pg/package.json": '{"name": "@own/pg", "version": "1.0.0"}',
    f"{MODULES}/@own/pg/main.js": "x",
}
NEEDED = (
    Missing(problem=Problem.LIBRARY_MISSING, kind="elf", path="/app/run", name="libx.so.1"),
    Missing(problem=Problem.LOADER_MISSING, kind="elf", path="/app/run", name="/lib64/libx.so.1"),
    Missing(problem=Problem.NOT_INSTALLED, kind="python", path="/app/run", name="some.lib"),
    Missing(
        problem=Problem.INCOMPLETE,
        kind="python",
        path="/app/run",
        name="some-lib",
        expected=f"{SITE}/some_lib/__init__.py and 7 more",
    ),
    Missing(
        problem=Problem.INCOMPLETE,
        kind="python",
        path="/app/run",
        name="some-lib",
        expected="metadata beside x",
    ),
    Missing(problem=Problem.NOT_INSTALLED, kind="npm", path="/app/run", name="@own/pg"),
    Missing(
        problem=Problem.UNRESOLVED,
        kind="npm",
        path=f"{MODULES}/@own/pg/package.json",
        name="@own/pg",
        expected=f"{MODULES}/@own/pg/main.js",
    ),
)
ELSE = (
    Missing(problem=Problem.LIBRARY_MISSING, kind="elf", path="/app/run", name="liby.so.1"),
    Missing(problem=Problem.NOT_INSTALLED, kind="python", path="/app/run", name="some"),
    Missing(problem=Problem.NOT_INSTALLED, kind="npm", path="/app/run", name="pg"),
    Missing(
        problem=Problem.WRONG_VERSION,
        kind="python",
        path="/app/run",
        name="some-lib",
        expected=">2",
        seen="1.0",
    ),
)
STAGES = """\
FROM scratch AS build
ADD all /
RUN strip
RUN go on
FROM scratch
COPY --from=build / /
"""
LENT = "FROM scratch AS build\nADD all /\nFROM scratch\nCOPY --from=build /app/run /app/run\n"


def _image(*layers: tuple[str, Mapping[str, str | None]]) -> Image:
    made = image_of(*(files for _, files in layers))
    return replace(made, history=tuple(HistoryEntry(created_by=text) for text, _ in layers))


BUILD = (
    ("ADD all /", {"/app/run": "x", **THERE}),
    ("RUN strip", dict.fromkeys(("/usr/lib/libx.so.1", SITE, f"{MODULES}/@own"))),
    ("RUN go on", {"/srv/y": "y"}),
)


@pytest.mark.parametrize("missing", NEEDED, ids=lambda each: f"{each.kind} {each.problem}")
def test_what_was_removed_goes_to_what_removed_it(missing: Missing) -> None:
    image = _image(*BUILD)
    [found] = with_losers([missing], dissect(image))
    assert found.lost is not None
    assert found.lost.text == "RUN strip"
    # Through a squash as well.
    recipe = parse(STAGES, "Dockerfile").recipe()
    squashed = dissect(_image(("COPY / /", {"/app/run": "x", "/srv/y": "y"})), recipe, {0: image})
    [found] = with_losers([missing], squashed, recipe)
    assert found.lost is not None
    assert (found.lost.text, found.lost.span and found.lost.span.line) == ("RUN strip", 3)


@pytest.mark.parametrize("missing", NEEDED[:3], ids=lambda each: f"{each.kind} {each.problem}")
def test_what_was_left_behind_goes_to_the_copy(missing: Missing) -> None:
    recipe = parse(LENT, "Dockerfile").recipe()
    build = _image(BUILD[0])
    anatomy = dissect(_image(("COPY /app/run /app/run", {"/app/run": "x"})), recipe, {0: build})
    [found] = with_losers([missing], anatomy, recipe)
    assert found.lost is not None
    assert (found.lost.first.text, found.lost.first.span and found.lost.first.span.line) == (
        "COPY --from=build /app/run /app/run",
        4,
    )


@pytest.mark.parametrize("missing", ELSE, ids=lambda each: f"{each.kind} {each.problem}")
def test_of_what_was_never_there_nothing_is_said(missing: Missing) -> None:
    assert with_losers([missing], dissect(_image(*BUILD))) == (missing,)
    recipe = parse(STAGES, "Dockerfile").recipe()
    squashed = dissect(_image(("COPY / /", {"/app/run": "x"})), recipe, {0: _image(*BUILD)})
    assert with_losers([missing], squashed, recipe) == (missing,)


def test_what_is_elsewhere_still_was_not_taken_away() -> None:
    image = _image(*BUILD[:2], ("RUN put back", {"/opt/libx.so.1": "x"}))
    assert with_losers(NEEDED[:1], dissect(image)) == NEEDED[:1]
