"""Modules of Python and Node.js, and shared libraries: what they are called in an image, and what takes them out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark.model.location import shown
from hullmark.rules._pruned import pruned
from hullmark.rules.dockerfile.removed_libraries import removed_libraries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._doctor.patient import Patient
    from hullmark._doctor.trace import Fits

_EXTENSION = r"(?:/|$|\.py$|(?:\.[\w-]+)*\.so$)"


def python_module(name: str) -> Fits:
    """What belongs to the Python module `name`, in any directory that packages are installed in."""
    parts = "/".join(re.escape(part) for part in name.split("."))
    pattern = re.compile(rf"(.*/(?:site|dist)-packages/{parts}){_EXTENSION}")
    return lambda path: found[1] if (found := pattern.match(path)) else None


def node_package(name: str) -> Fits:
    """What belongs to the package `name` of Node.js."""
    pattern = re.compile(rf"(.*/node_modules/{re.escape(name)})(?:/|$)")
    return lambda path: found[1] if (found := pattern.match(path)) else None


def library(name: str) -> Fits:
    """The shared library called `name`, and its other versions."""
    stem = re.escape(re.sub(r"\.so[\d.]*$", "", name))
    pattern = re.compile(rf"(.*/{stem}\.so(?:\.[\d.]+)?)$")
    return lambda path: found[1] if (found := pattern.match(path)) else None


def package_of(specifier: str) -> str:
    """The package that a `require` or an `import` of `specifier` looks for."""
    parts = specifier.split("/")
    return "/".join(parts[:2]) if specifier.startswith("@") else parts[0]


def pruning(patient: Patient, service: str | None, kind: str, name: str) -> Iterator[str]:
    """Sentences on the commands of Dockerfiles that remove the package `name` by name."""
    for each in patient.built(service):
        recipe = patient.recipe(each)
        for stage in recipe.stages if recipe else ():
            for instruction in stage.instructions:
                for one in pruned(stage, instruction) if instruction.keyword == "RUN" else ():
                    if one.kind == kind and one.takes(name):
                        place = f"{one.command.span.path}:{one.command.span.line}"
                        yield f"{place}: `{one.command.program}` removes `{one.pattern}` in stage `{stage.label}`"


def stripping(patient: Patient, service: str | None) -> Iterator[str]:
    """Sentences on the commands of Dockerfiles that remove shared libraries by pattern."""
    for each in patient.built(service):
        recipe = patient.recipe(each)
        for finding in removed_libraries.check(recipe) if recipe else ():
            yield f"{str(finding.location).rpartition(':')[0]}: {finding.seen}"


def declared_for_development(patient: Patient, service: str | None, name: str) -> Iterator[str]:
    """Sentences on package.json files of build contexts that declare the package `name` for development only."""
    for each in patient.built(service):
        for file in sorted(Path(each.build.context).glob("**/package.json")) if each.build else ():
            if "node_modules" in file.parts:
                continue
            try:
                document = json.loads(file.read_text(encoding="utf-8-sig"))
            except (OSError, ValueError):
                continue
            tables = document if isinstance(document, dict) else {}
            listed = {key for key, table in tables.items() if isinstance(table, dict) and name in table}
            if "devDependencies" in listed and "dependencies" not in listed:
                assert patient.project is not None
                yield f"{shown(file, patient.project.root)}: `{name}` is listed under `devDependencies` only"
