"""Where in the Compose files each service is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from hullmark.errors import ConfigurationError
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_Loader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def service_spans(files: Sequence[Path], root: Path) -> dict[str, SourceSpan]:
    """For each service the first place that declares it; earlier files come first.

    Raises `ConfigurationError` with file, line and column when a file is no YAML.
    """
    spans: dict[str, SourceSpan] = {}
    for file in files:
        name = shown(file, root)
        for service, mark in _services(_document(file, name)):
            spans.setdefault(service, SourceSpan(path=name, line=mark.line + 1, column=mark.column + 1))
    return spans


def shown(file: Path, root: Path) -> str:
    """`file` as messages name it: relative to the project where it lies inside."""
    return file.relative_to(root).as_posix() if file.is_relative_to(root) else file.as_posix()


def _document(file: Path, name: str) -> yaml.Node | None:
    try:
        # Nodes only: Compose's own tags (`!override`, `!reset`) need no constructors, and none can run.
        node: yaml.Node | None = yaml.compose(file.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        context = f" ({error.context})" if error.context else ""
        raise ConfigurationError([f"{place}: not valid YAML: {error.problem}{context}"]) from error
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError([f"{name}: cannot be read: {error}"]) from error
    return node


def _services(document: yaml.Node | None) -> list[tuple[str, yaml.Mark]]:
    if not isinstance(document, yaml.MappingNode):
        return []
    for key, value in document.value:
        if key.value == "services" and isinstance(value, yaml.MappingNode):
            return [(name.value, name.start_mark) for name, _ in value.value]
    return []
