"""Reads the files in which vulnerabilities are set aside: Trivy's two formats."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Any

import yaml

from hullmark._scanners.suppressions import Suppression
from hullmark._scanners.vex import read_vex
from hullmark.errors import ConfigurationError
from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hullmark.model.project import ScanSettings

_EXPIRY = re.compile(r"exp:(\d{4}-\d{2}-\d{2})")
_YAML = (".yaml", ".yml")
_OTHER = re.compile(
    r"AVD-.*|(?:DS|KSV|KCV|AWS|AZU|GCP|DIG|GIT|NIF|OCI|OPNSTK|CLDSTK)-?[0-9]{3,4}|(?!cve-|ghsa-)[a-z0-9-]+"
)
"""What Trivy finds and is no vulnerability: misconfigurations and secrets, which stand in the same file."""


def suppressions(root: Path, settings: ScanSettings) -> tuple[Suppression, ...]:
    """Everything that the project sets aside; raises `ConfigurationError` for files that cannot be read as such."""
    found = [
        Suppression(
            names=frozenset({each.id}),
            span=each.origin,
            reason=each.reason,
            expires=each.expires,
            package=each.package,
            service=each.service,
        )
        for each in settings.ignores
    ]
    name = settings.ignore_file
    for file in dict.fromkeys((name, *((f"{name}.yaml",) if not name.endswith(_YAML) else ()))):
        if (root / file).is_file():
            read = _read_yaml if file.endswith(_YAML) else _read_lines
            found += read(_text(root, file), file)
    for file in settings.vex:
        found += read_vex(_text(root, file), file)
    return tuple(found)


def _text(root: Path, file: str) -> str:
    try:
        return (root / file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError([f"{file} cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{file} cannot be read: it is no text in UTF-8"]) from error
    except ValueError as error:
        raise ConfigurationError([f"{file!r} cannot be read: {error}"]) from error


def _read_lines(text: str, file: str) -> Iterator[Suppression]:
    """A `.trivyignore`: one name on each line, `exp:` with the last day, and comments."""
    problems = []
    comment = ""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        before, _, after = line.partition("#")
        words = before.split()
        if not words:
            comment = after.strip()
            continue
        if _OTHER.fullmatch(words[0]):
            comment = ""
            continue
        span = SourceSpan(path=file, line=number)
        expires = None
        for word in words[1:]:
            match = _EXPIRY.fullmatch(word)
            try:
                expires = dt.date.fromisoformat(match[1]) if match else expires
            except ValueError:
                match = None
            if match is None and word.startswith("exp"):
                problems.append(f"{span}: expected `exp:YYYY-MM-DD`, got `{word}`")
        found.append(
            Suppression(
                names=frozenset({words[0]}), span=span, reason=after.strip() or comment, expires=expires
            )
        )
        comment = ""
    if problems:
        raise ConfigurationError(problems)
    yield from found


def _read_yaml(text: str, file: str) -> Iterator[Suppression]:
    """A `.trivyignore.yaml`; only what it says of vulnerabilities."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigurationError(
            [f"{file}{line}: this is no YAML: {getattr(error, 'problem', error)}"]
        ) from error
    if document is None:
        return
    listed = document.get("vulnerabilities", []) if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise ConfigurationError([f"{file}: expected a list `vulnerabilities`"])
    lines = _lines(node)
    for index, each in enumerate(listed):
        span = SourceSpan(path=file, line=lines[index] if index < len(lines) else 1)
        if not isinstance(each, dict) or not isinstance(each.get("id"), str):
            raise ConfigurationError([f"{span}: expected a table with `id`"])
        yield Suppression(
            names=frozenset({each["id"]}),
            span=span,
            reason=str(each.get("statement") or ""),
            expires=_date(each.get("expired_at"), span),
            paths=_texts(each, "paths", span),
            purls=_texts(each, "purls", span),
        )


def _lines(node: Any) -> list[int]:
    """Where each entry of `vulnerabilities` stands."""
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if key.value == "vulnerabilities" and isinstance(value, yaml.SequenceNode):
            return [each.start_mark.line + 1 for each in value.value]
    return []


def _date(value: Any, span: SourceSpan) -> dt.date | None:
    if value is None:
        return None
    try:
        # YAML makes dates of what looks like one, and times of what has one.
        return dt.date.fromisoformat(str(value)[:10])
    except ValueError as error:
        raise ConfigurationError([f"{span}: `expired_at` must be a date such as 2027-06-30"]) from error


def _texts(each: dict[str, Any], key: str, span: SourceSpan) -> tuple[str, ...]:
    value = each.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ConfigurationError([f"{span}: `{key}` must be a list of texts"])
    return tuple(value)
