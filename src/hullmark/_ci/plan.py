"""What has to be known of a project to say what a change affects, and how that is written down.

It takes Compose, the settings and every Dockerfile to find that out, and little to load it again. Values that may be
secret are not in it: of build arguments and of the environment only digests are.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._dockerfile.ignorefile import IgnoreFile
from hullmark._dockerfile.ignorepattern import IgnorePattern, compiled
from hullmark.model.inputs import Because, BuildInputs, Selection, Unfollowed
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.inputs import Excludes, PathPattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounted:
    """A file or a directory of this host that a service is given."""

    service: str
    path: str
    """Relative to the project's root."""
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A project, as far as changes are concerned."""

    name: str
    root: Path
    services: tuple[str, ...]
    """All of them, sorted."""
    built: tuple[str, ...]
    """Those whose images the project builds, sorted."""
    inputs: Mapping[str, BuildInputs]
    """What images are built from; those with a context elsewhere are not among them."""
    declared: Mapping[str, tuple[tuple[str, str], ...]] = field(repr=False)
    """What a digest of an image's inputs holds besides files, by service."""
    mounts: tuple[Mounted, ...]
    edges: tuple[tuple[str, str, str], ...]
    """Which service needs which, and how."""
    warnings: tuple[str, ...] = ()
    """What Compose warns of."""


def encode(plan: Plan) -> dict[str, Any]:
    """`plan` as JSON has it."""
    return {
        "name": plan.name,
        "root": str(plan.root),
        "services": plan.services,
        "built": plan.built,
        "inputs": {name: _inputs(inputs) for name, inputs in plan.inputs.items()},
        "declared": plan.declared,
        "mounts": [(each.service, each.path, each.text) for each in plan.mounts],
        "edges": plan.edges,
        "warnings": plan.warnings,
    }


def decode(raw: Mapping[str, Any]) -> Plan:
    """The plan that `raw` was made of; raises one of `MALFORMED` where it was not made by `encode`."""
    return Plan(
        name=raw["name"],
        root=Path(raw["root"]),
        services=tuple(raw["services"]),
        built=tuple(raw["built"]),
        inputs={name: _read_inputs(each) for name, each in raw["inputs"].items()},
        declared={name: tuple((key, value) for key, value in each) for name, each in raw["declared"].items()},
        mounts=tuple(Mounted(service=service, path=path, text=text) for service, path, text in raw["mounts"]),
        edges=tuple((name, other, how) for name, other, how in raw["edges"]),
        warnings=tuple(raw["warnings"]),
    )


MALFORMED = (KeyError, TypeError, ValueError, AttributeError, re.error)


def _inputs(inputs: BuildInputs) -> dict[str, Any]:
    return {
        "files": {path: _because(because) for path, because in inputs.files.items()},
        "contexts": inputs.contexts,
        "ignored": {name: _ignored(each) for name, each in inputs.ignored.items()},
        "selections": [_selection(each) for each in inputs.selections],
        "target": inputs.target,
        "platform": inputs.platform,
        "bases": inputs.bases,
        "services": [(name, _because(because)) for name, because in inputs.services],
        "unfollowed": [(each.text, _because(each.because), each.known) for each in inputs.unfollowed],
        "refused": inputs.refused,
        "unknown": inputs.unknown,
    }


def _read_inputs(raw: Mapping[str, Any]) -> BuildInputs:
    return BuildInputs(
        files={path: _read_because(each) for path, each in raw["files"].items()},
        contexts=raw["contexts"],
        ignored={name: _read_ignored(each) for name, each in raw["ignored"].items()},
        selections=tuple(_read_selection(each) for each in raw["selections"]),
        args={},
        target=raw["target"],
        platform=raw["platform"],
        bases=tuple(raw["bases"]),
        services=tuple((name, _read_because(each)) for name, each in raw["services"]),
        unfollowed=tuple(
            Unfollowed(text=text, because=_read_because(because), known=known)
            for text, because, known in raw["unfollowed"]
        ),
        refused=tuple(raw["refused"]),
        unknown=tuple(raw["unknown"]),
    )


def _because(because: Because) -> tuple[str, tuple[Any, ...] | None]:
    span = because.span
    if span is None:
        return because.text, None
    return because.text, (span.path, span.line, span.column, span.end_line, span.end_column)


def _read_because(raw: Any) -> Because:
    text, place = raw
    if place is None:
        return Because(text=text)
    path, line, column, end_line, end_column = place
    span = SourceSpan(path=path, line=line, column=column, end_line=end_line, end_column=end_column)
    return Because(text=text, span=span)


def _selection(selection: Selection) -> tuple[Any, ...]:
    return (
        selection.context,
        selection.pattern,
        # What stands in brackets is an expression, what does not a name.
        [part if isinstance(part, str) else [part.pattern, part.flags] for part in selection.parts],
        _because(selection.because),
        None if selection.below is None else _pattern(selection.below),
        None if selection.excluded is None else _ignored(selection.excluded),
    )


def _read_selection(raw: Any) -> Selection:
    context, pattern, parts, because, below, excluded = raw
    return Selection(
        context=context,
        pattern=pattern,
        parts=tuple(part if isinstance(part, str) else re.compile(part[0], part[1]) for part in parts),
        because=_read_because(because),
        below=None if below is None else _read_pattern(below),
        excluded=None if excluded is None else _read_ignored(excluded),
    )


def _ignored(ignored: Excludes) -> list[tuple[str, bool]]:
    if not isinstance(ignored, IgnoreFile):
        raise TypeError(f"no ignore file: {ignored!r}")
    return [_pattern(each) for each in ignored.patterns]


def _read_ignored(raw: Any) -> IgnoreFile:
    return IgnoreFile(patterns=tuple(_read_pattern(each) for each in raw))


def _pattern(pattern: PathPattern) -> tuple[str, bool]:
    if not isinstance(pattern, IgnorePattern):
        raise TypeError(f"no line of an ignore file: {pattern!r}")
    return pattern.text, pattern.negated


def _read_pattern(raw: Any) -> IgnorePattern:
    text, negated = raw
    return _compiled(text, negated)


@lru_cache(maxsize=256)
def _compiled(text: str, negated: bool) -> IgnorePattern:  # noqa: FBT001  # as it is written down
    """What services that are built from one context share is made once."""
    return compiled(text, negated=negated)


def packed(content: Mapping[str, Any]) -> bytes:
    """`content` as bytes; names that are not text are kept."""
    return json.dumps(content, separators=(",", ":")).encode("ascii")
