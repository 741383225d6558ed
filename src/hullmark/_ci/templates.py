"""What the files of a CI system are written from, and whether those that are there still say the same."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from json import dumps
from typing import TYPE_CHECKING

from hullmark import __version__
from hullmark._ci.keeping import keeping
from hullmark._ci.publishing import publishing
from hullmark._root import below_repository, name_below
from hullmark.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hullmark._ci.keeping import Keeping
    from hullmark._ci.publishing import Publishing
    from hullmark.model.project import Project

MARK = "# Written by `hullmark ci"
"""How the first line of every such file begins; what has another one is somebody else's, or another project's."""
_BESIDES = 30
"""Minutes that are allowed besides those that the configuration gives the smoke test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """What the files of every CI system say of one project."""

    below: str
    """Where the project lies in its repository, with forward slashes; empty at the top of it."""
    built: tuple[str, ...]
    """The services whose images are built."""
    minutes: int
    """How long the job may take that starts the stack."""
    release: Publishing | None = None
    """How its images are published; `None` where nothing says to which registry."""
    keeping: Keeping | None = None
    """How the baseline of a branch gets to its changes; `None` where the files have nothing to do with that."""
    name: str = ""
    """What tells its files and jobs from those of other projects of the repository; empty for the one at the top."""
    code_scanning: bool = True
    """Whether its report is handed to code scanning."""
    version: str = __version__
    """The hullmark that runs there: the one that wrote the files, so that both agree."""

    @property
    def suffix(self) -> str:
        """What stands at the end of a name that others of the repository might have."""
        return f"-{self.name}" if self.name else ""

    @property
    def of(self) -> str:
        """The same, for people."""
        return f" of {self.name}" if self.name else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One file, relative to the top of the repository."""

    path: str
    text: str


def pipeline_of(project: Project) -> Pipeline:
    """What the files say of `project`; raises `UsageError` where a name in it means something to a CI system."""
    below = below_repository(project.root)
    built = tuple(service.name for service in project.built)
    for name in below, *built:
        if "$" in name or not name.isprintable():
            raise UsageError(
                f"`{name!r}` cannot be written into a workflow: expected no `$` in it, and no line end"
            )
    drills = len(project.settings.smoke_drills) * project.settings.drill_timeout * len(project.services)
    seconds = project.settings.smoke_timeout + drills
    return Pipeline(
        below=below,
        built=built,
        minutes=_BESIDES + math.ceil(seconds / 60),
        release=publishing(project.settings.release),
        keeping=keeping(project.settings.baseline),
        name=project.settings.ci.name or name_below(below),
        code_scanning=project.settings.ci.code_scanning,
    )


def quoted(text: str) -> str:
    """`text` as a string of YAML, whatever is in it."""
    return dumps(text, ensure_ascii=False)


def differences(top: Path, templates: Iterable[Template]) -> Iterator[tuple[Template, list[str]]]:
    """Every file that is not as it would be written, with the lines that differ."""
    for template in templates:
        there = found(top, template) or ""
        if there != template.text:
            lines = difflib.unified_diff(
                there.splitlines(), template.text.splitlines(), template.path, template.path, lineterm=""
            )
            yield template, list(lines)


def found(top: Path, template: Template) -> str | None:
    """What the file holds now; `None` where there is none. Raises `UsageError` where it cannot be read."""
    try:
        return (top / template.path).read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UsageError(f"{template.path} cannot be read: {error.strerror}") from error


def first_line(system: str, pipeline: Pipeline) -> str:
    """The first line of a file, which says who wrote it for which project."""
    return f"{MARK} {system}` for `{pipeline.below or '.'}`; `hullmark ci check` tells when it has to be written again.\n"


def ours(text: str | None, template: Template) -> bool:
    """Whether a file that holds `text` was written by hullmark for the same project, and may be written again."""
    return text is not None and text.partition("\n")[0] == template.text.partition("\n")[0]
