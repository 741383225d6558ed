"""The environment files of a project that its repository has, and what they say."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from hullmark._compose.positions import declarations
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.composition import EnvironmentFile, Literal
from hullmark.model.location import SourceSpan, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark._compose.positions import Declarations
    from hullmark._process import Commands
    from hullmark.model.project import Project

_KEY = re.compile(r"services\.[^.]+\.env_file(?:\.\d+(?:\.path)?)?")
_VARIABLE = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*"
    r"(?:'(?P<single>[^']*)'|\"(?P<double>(?:[^\"\\]|\\.)*)\"|(?P<bare>[^\n'\"#]?[^\n]*))",
    re.MULTILINE,
)
_COMMENT = re.compile(r"\s+#.*$")
_LARGEST = 4 << 20
_SECONDS = 60


def environment_files(project: Project, commands: Commands) -> tuple[EnvironmentFile, ...]:
    """Those that services name in `env_file`, and the one that Compose takes variables from, as far as git tracks them.

    Where there is no git, or no repository, nothing is known to be tracked.
    """
    declared = declarations(project.files, project.root)
    there = sorted({path for path in _named(project, declared) if path.is_file()})
    if not there:
        return ()
    tracked = _tracked(there, project.root, commands)
    return tuple(
        EnvironmentFile(
            path=shown(path, project.root),
            variables=tuple(_variables(path, shown(path, project.root))),
        )
        for path in there
        if path in tracked
    )


def _named(project: Project, declared: Declarations) -> Iterator[Path]:
    directory = project.files[0].parent if project.files else project.root
    yield project.root / project.settings.env_file if project.settings.env_file else directory / ".env"
    for key, said in declared.texts.items():
        if _KEY.fullmatch(key):
            for text, span in said:
                if "$" not in text:
                    for start in (directory, (project.root / span.path).parent):
                        yield _normal(start, text)


def _normal(start: Path, text: str) -> Path:
    return type(start)(os.path.normpath(start / text))


def _tracked(paths: list[Path], root: Path, commands: Commands) -> set[Path]:
    """Those of `paths` that git has in its index."""
    arguments = [os.path.relpath(path, root) for path in paths]
    try:
        done = commands.run(
            ("git", "--no-optional-locks", "ls-files", "-z", "--", *arguments),
            cwd=root,
            env={"GIT_LITERAL_PATHSPECS": "1", "GIT_TERMINAL_PROMPT": "0"},
            timeout=_SECONDS,
            exact=True,
        )
    except Interrupted:
        raise
    except Unavailable:
        return set()
    return {_normal(root, name) for name in done.stdout.split("\0") if name} if not done.returncode else set()


def _variables(path: Path, name: str) -> Iterator[Literal]:
    """What the file sets to a value of its own; one that comes from another variable is not among them."""
    try:
        if path.stat().st_size > _LARGEST:
            return
        text = path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError:
        return
    line = counted = 0
    for match in _VARIABLE.finditer(text):
        line += text.count("\n", counted, match.start("name"))
        counted = match.start("name")
        value = _value(match)
        if value is not None:
            column = counted - text.rfind("\n", 0, counted)
            span = SourceSpan(path=name, line=line + 1, column=column)
            yield Literal(name=match["name"], value=value, span=span)


def _value(match: re.Match[str]) -> str | None:
    if match["single"] is not None:
        return match["single"]
    value = match["double"] if match["double"] is not None else _COMMENT.sub("", match["bare"]).strip()
    return None if "$" in value or not value else value
