"""Build contexts and Dockerfiles of the project: why a file is not in one, and which stages there are."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile import dockerfile_of, ignorefile
from hullmark.errors import HullmarkError, nearest
from hullmark.model.location import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._doctor.patient import Patient


def absence(patient: Patient, service: str | None, path: str) -> Iterator[str]:
    """Why the build contexts of `service`, or of all, do not hold `path`, in a sentence for each that names it."""
    assert patient.project is not None or not patient.built(service)
    for each in patient.built(service):
        recipe, build = patient.recipe(each), each.build
        if recipe is None or build is None or not Path(build.context).is_dir():
            continue
        copied = [
            word.text.strip("/").removeprefix("./")
            for stage in recipe.stages
            for instruction in stage.instructions
            if instruction.keyword in {"COPY", "ADD"} and instruction.source is None
            for word in instruction.words[:-1]
        ]
        if path in copied:
            with contextlib.suppress(OSError, ValueError):  # no name that a file can have
                yield _absence(patient, each.name, Path(build.context), Path(build.dockerfile), path)


def _absence(patient: Patient, name: str, context: Path, dockerfile: Path, path: str) -> str:
    assert patient.project is not None
    root = patient.project.root
    where = shown(context, root)
    if not (context / path).exists():
        parent = (context / path).parent
        names = [each.name for each in parent.iterdir()] if parent.is_dir() else []
        near = nearest(path.rpartition("/")[2], names)
        return (
            f"the build context of `{name}` ({where}) has no `{path}`{f'; it has `{near}`' if near else ''}"
        )
    for place in ignorefile.places(context, dockerfile):
        if place.is_file():
            if (line := _line(place, path)) is not None:
                number, text = line
                return f"{shown(place, root)}:{number}: `{text}` leaves `{path}` out of the build context of `{name}`"
            break
    return f"the build context of `{name}` has `{path}` now"


def _line(file: Path, path: str) -> tuple[int, str] | None:
    """The line of an ignore file from which on `path` is left out."""
    lines = file.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    try:
        if not ignorefile.parse("\n".join(lines)).excludes(path):
            return None
        deciding = max(
            number
            for number in range(1, len(lines) + 1)
            if ignorefile.parse("\n".join(lines[:number])).excludes(path)
            and not ignorefile.parse("\n".join(lines[: number - 1])).excludes(path)
        )
    except ValueError:
        return None
    return deciding, lines[deciding - 1]


def stages(patient: Patient, service: str | None) -> set[str]:
    """The names of the stages of the Dockerfiles of `service`, or of all."""
    found = set()
    for each in patient.built(service):
        assert patient.project is not None
        try:
            dockerfile = dockerfile_of(each, patient.project.root)
        except HullmarkError:
            continue
        found |= {stage.name for stage in dockerfile.stages if stage.name} if dockerfile else set()
    return found
