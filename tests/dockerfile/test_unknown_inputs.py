"""What of an image's inputs cannot be known here is said, so that nobody takes the rest for all of it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from hullmark._dockerfile import parse
from hullmark._dockerfile.inputs import build_inputs
from hullmark.model.dockerfile import HandedOn
from hullmark.model.inputs import Because

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hullmark.model.inputs import BuildInputs


def _inputs(
    root: Path, text: str, handed_on: Callable[[str], HandedOn | None] = lambda _: None
) -> BuildInputs:
    return build_inputs(
        parse(text, "Dockerfile").recipe(None),
        root,
        context=root,
        dockerfile=root / "Dockerfile",
        because=Because(text="the Dockerfile"),
        handed_on=handed_on,
    )


def test_an_address_with_a_variable_that_nobody_knows_may_be_fetched_from_anywhere(tmp_path: Path) -> None:
    inputs = _inputs(
        tmp_path,
        f"FROM base\nADD https://$HOST/a /\nADD $WHERE /\nADD --checksum=sha256:{'0' * 64} $WHERE /\n"
        "ADD git@$HOST:a.git /\nADD app/$WHERE /\nADD ./$WHERE /\nCOPY $WHERE /\n",
    )
    assert [(str(each), each.known) for each in inputs.unfollowed] == [
        ("ADD at Dockerfile:2 takes what may be an address, `https://$HOST/a`", False),
        ("ADD at Dockerfile:3 takes what may be an address, `$WHERE`", False),
        ("ADD at Dockerfile:4 takes what may be an address, `$WHERE`", True),
        ("ADD at Dockerfile:5 takes what may be an address, `git@$HOST:a.git`", False),
    ]
    assert len(inputs.match(PurePosixPath("anything"))) == 7  # and it may be a file


@pytest.mark.parametrize("own", [False, True])
def test_an_ignore_file_that_cannot_be_followed_is_named_with_its_line(tmp_path: Path, *, own: bool) -> None:
    name = "Dockerfile.dockerignore" if own else ".dockerignore"
    (tmp_path / name).write_text("a\n# what follows is no pattern\n[bad\n", encoding="utf-8")
    inputs = _inputs(tmp_path, "FROM scratch\nCOPY . /\n")
    assert len(inputs.refused) == 1
    assert inputs.refused[0].startswith(f"{name}:3: `[bad` cannot be followed: ")
    assert inputs.match(PurePosixPath("a"))  # nothing of such a file counts


def test_what_an_image_that_is_here_hands_on_is_known(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").touch()
    images = {
        "team/base": HandedOn(environment=(("WHERE", "app"), ("PATH", "/bin"))),
        "team/puts-off": HandedOn(triggers=("COPY . /app",)),
    }

    def inputs(text: str) -> BuildInputs:
        return _inputs(tmp_path, text, images.get)

    found = inputs("FROM team/base AS a\nENV PATH=/x:$PATH\nFROM a\nARG DEEP=$WHERE/deep\nCOPY $DEEP /app\n")
    assert found.match(PurePosixPath("app/deep/main.py"))
    assert not found.match(PurePosixPath("app/main.py"))
    assert found.local
    found = inputs("FROM team/base\nENV PATH=/x:$PATH\nARG OWN=app\nCOPY $OWN /app\n")
    assert not found.local  # whatever else is in the image
    found = inputs("FROM team/puts-off\n")
    assert [str(each) for each in found.match(PurePosixPath("a"))] == [
        "ONBUILD of `team/puts-off`, through FROM at Dockerfile:1"
    ]
    assert found.local


@pytest.mark.parametrize(
    ("reference", "unknown", "counts"),
    [
        ("debian:bookworm", (), False),
        ("docker.io/library/node:20", (), False),
        ("node:4-onbuild", (), True),
        ("example.org/team/base:1", ("example.org/team/base:1",), False),
    ],
)
def test_what_an_image_that_is_not_here_takes_is_told_unless_it_is_known(
    tmp_path: Path, reference: str, unknown: tuple[str, ...], *, counts: bool
) -> None:
    found = _inputs(tmp_path, f"FROM {reference}\n")
    assert found.unknown == unknown
    assert bool(found.match(PurePosixPath("a"))) is counts
    assert not found.local
