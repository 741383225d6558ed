"""Images that work require nothing that is not there; one that lost a package, a file or a version is found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hullmark._contents.dependencies import EnvironmentCapture, missing_packages
from hullmark._contents.filesystem import overlay
from hullmark._contents.owners import find_owners
from hullmark._contents.packages.capture import PackageCapture
from hullmark.model.dependency import Certainty, Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contents.conftest import Build, BuildService, Open

    from hullmark.model.dependency import Missing

pytestmark = [pytest.mark.docker, pytest.mark.stack, pytest.mark.xdist_group("stack")]

SITE = "/opt/venv/lib/python3.11/site-packages"


def _missing(image: str, opened: Open, declared: tuple[tuple[str, str], ...] = ()) -> tuple[Missing, ...]:
    read = opened(image, PackageCapture(), EnvironmentCapture())
    files = overlay(read.layers)
    return missing_packages(
        files, find_owners(files), environment=dict(read.configuration.environment), declared=declared
    )


@pytest.mark.parametrize("service", ["crawler", "db", "platform", "proxy", "rag"])
def test_the_reference_images_have_all_packages(
    service: str, build_service: BuildService, opened: Open
) -> None:
    assert _missing(build_service(service), opened) == ()


@pytest.fixture
def without(build: Build, build_service: BuildService) -> Callable[..., str]:
    """Builds the image of a service of the reference stack without some of its paths."""

    def built(service: str, *paths: str) -> str:
        return build(f"FROM {build_service(service)}\nUSER root\nRUN rm -rf {' '.join(paths)}\n")

    return built


def test_a_python_package_that_was_deleted_is_missed(without: Callable[..., str], opened: Open) -> None:
    image = without("rag", f"{SITE}/h11 {SITE}/h11-*.dist-info", f"{SITE}/click-*.dist-info")
    found = _missing(image, opened, (("services/rag/requirements.txt", "no-such-package>=2"),))
    assert {(each.problem, each.name, each.by, each.certainty) for each in found} == {
        (Problem.NOT_INSTALLED, "h11", "uvicorn", Certainty.CERTAIN),
        (Problem.INCOMPLETE, "click", "uvicorn", Certainty.LIKELY),
        (Problem.NOT_INSTALLED, "no-such-package", "", Certainty.LIKELY),
    }


def test_a_python_package_that_was_stripped_too_far_is_missed(
    without: Callable[..., str], opened: Open
) -> None:
    image = without("rag", f"{SITE}/click", f"{SITE}/uvicorn/main.py", f"{SITE}/starlette/__init__.py")
    found = _missing(image, opened)
    assert {(each.problem, each.name, each.expected, each.certainty) for each in found} == {
        (Problem.INCOMPLETE, "click", f"{SITE}/click", Certainty.CERTAIN),
        (Problem.INCOMPLETE, "uvicorn", f"{SITE}/uvicorn/main.py", Certainty.LIKELY),
        (Problem.INCOMPLETE, "starlette", f"{SITE}/starlette/__init__.py", Certainty.CERTAIN),
    }


def test_a_node_package_that_was_deleted_is_missed(without: Callable[..., str], opened: Open) -> None:
    modules = "/app/node_modules"
    found = _missing(without("platform", f"{modules}/express"), opened)
    assert {(each.problem, each.name, each.path, each.certainty) for each in found} == {
        (Problem.NOT_INSTALLED, "express", "/app/package.json", Certainty.CERTAIN)
    }


def test_a_node_package_that_another_one_needs_is_missed(without: Callable[..., str], opened: Open) -> None:
    modules = "/app/node_modules"
    image = without("platform", f"{modules}/body-parser", f"{modules}/qs/lib/index.js")
    assert {(each.problem, each.name, each.by, each.expected[:1]) for each in _missing(image, opened)} == {
        (Problem.NOT_INSTALLED, "body-parser", "express", "^"),
        (Problem.UNRESOLVED, "qs", "express", "/"),
    }
