"""Every image that works has all libraries; one that lost a library is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._contents.elf import ElfCapture
from hullmark._contents.filesystem import overlay
from hullmark._contents.libraries import ConfigurationCapture, missing_libraries
from hullmark.model.dependency import Certainty, Problem

if TYPE_CHECKING:
    from tests.contents.conftest import Build, BuildService, Open

    from hullmark.model.dependency import Missing

pytestmark = pytest.mark.docker


def _missing(image: str, opened: Open) -> tuple[Missing, ...]:
    read = opened(image, ElfCapture(), ConfigurationCapture())
    return missing_libraries(overlay(read.layers), dict(read.configuration.environment))


@pytest.mark.stack
@pytest.mark.xdist_group("stack")
@pytest.mark.parametrize("service", ["crawler", "db", "platform", "proxy", "rag"])
def test_the_reference_images_lack_no_library(
    service: str, build_service: BuildService, opened: Open
) -> None:
    assert _missing(build_service(service), opened) == ()


@pytest.mark.parametrize("image", ["debian:bookworm-slim", "debian:trixie-slim"])
def test_a_plain_debian_lacks_no_library(image: str, opened: Open) -> None:
    assert _missing(image, opened) == ()


PYTHON = """\
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends python3 && rm -rf /var/lib/apt/lists/*
"""


def test_a_library_that_was_deleted_is_missing_wherever_it_is_needed(build: Build, opened: Open) -> None:
    text = f"{PYTHON}RUN rm /usr/lib/x86_64-linux-gnu/libexpat.so.1* /lib/x86_64-linux-gnu/libsqlite3.so.0*\n"
    found = _missing(build(text), opened)
    assert {(each.name, each.certainty) for each in found} == {
        ("libexpat.so.1", Certainty.CERTAIN),
        ("libsqlite3.so.0", Certainty.LIKELY),
    }
    assert all(each.problem is Problem.LIBRARY_MISSING for each in found)
    assert "/usr/bin/python3.11" in {each.path for each in found}
    [module] = [each.path for each in found if each.name == "libsqlite3.so.0"]
    assert module.startswith("/usr/lib/python3.11/lib-dynload/_sqlite3.")


def test_an_image_without_its_loader_starts_nothing(build: Build, opened: Open) -> None:
    text = "FROM debian:bookworm-slim AS a\nFROM scratch\nCOPY --from=a /usr/bin/true /true\n"
    [found] = _missing(build(text), opened)
    assert (found.problem, found.path, found.name) == (
        Problem.LOADER_MISSING,
        "/true",
        "/lib64/ld-linux-x86-64.so.2",
    )
    assert found.certainty is Certainty.CERTAIN
