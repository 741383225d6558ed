"""An answer by HTTP held against what is expected of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._smoke.probes.filling import as_text
from hullmark.model.probe import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._smoke.probes.filling import Filling
    from hullmark.model.probe import HttpProbe, JsonExpectation

LARGEST_TEXT = 1 << 20
"""Bytes of an answer in which text is looked for; some answers never end."""
LARGEST = 8 << 20
"""Bytes of an answer that has to be read whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What a server answered."""

    status: int
    headers: tuple[tuple[str, str], ...]
    """Names in small letters."""
    body: str = field(repr=False)
    complete: bool = True
    """Whether the body is all of it."""

    @property
    def location(self) -> str:
        """Where a redirection leads; empty for any other answer."""
        redirects = 300 <= self.status < 400  # noqa: PLR2004  # RFC 9110
        return next((text for name, text in self.headers if name == "location"), "") if redirects else ""


def fits(status: int, expected: tuple[range, ...]) -> bool:
    """Whether an HTTP status is among the expected ones; any success or redirection when none are."""
    return any(status in each for each in expected or GOOD)


def wrong(answer: HttpAnswer, probe: HttpProbe, filling: Filling) -> str:
    """Why `answer` is not the expected one, fit to be shown; empty when it is."""
    status = f"status {answer.status}"
    body = filling.quote(answer.body)
    if not fits(answer.status, probe.status):
        return f"{status}: {body}" if body.strip() else status
    if probe.body_contains is not None and filling.text(probe.body_contains) not in answer.body:
        return f"{status} and a body without `{probe.body_contains}`: {body}"
    if probe.body_matches is not None and not re.search(probe.body_matches, answer.body):
        return f"{status} and a body that does not match `{probe.body_matches}`: {body}"
    for name, expected in probe.header_is:
        found = [text for known, text in answer.headers if known == name.lower()]
        if filling.text(expected) not in found:
            shown = ", ".join(f"`{filling.quote(text)}`" for text in found)
            return f"{status} and {f'header `{name}` is {shown}' if found else f'no header `{name}`'}"
    if probe.json_holds:
        reason = next(_wrong_json(answer, probe.json_holds, filling), "")
        return f"{status} and {reason}" if reason else ""
    return ""


def _wrong_json(answer: HttpAnswer, expected: tuple[JsonExpectation, ...], filling: Filling) -> Iterator[str]:
    """Why the body is not the expected JSON."""
    body = filling.quote(answer.body)
    if not answer.complete:
        yield f"a body that does not end in time, or before {LARGEST} bytes: {body}"
        return
    try:
        document = decoded(answer.body)
    except ValueError:
        yield f"a body that is no JSON: {body}"
        return
    for each in expected:
        found = values_at(document, each.path)
        if not _holds(found, each, filling):
            values = ", ".join(json.dumps(value, ensure_ascii=False) for value in found)
            at = f"`{each.path}`"
            yield f"{at} is {filling.quote(values)}" if found else f"nothing at {at}: {body}"


def _holds(found: list[Any], expected: JsonExpectation, filling: Filling) -> bool:
    if expected.exists is not None:
        return bool(found) == expected.exists
    if expected.matches is not None:
        return any(re.search(expected.matches, as_text(value)) for value in found)
    wanted = filling.json(expected.equals or "null")
    return any(_same(value, wanted) for value in found)


def _same(value: Any, wanted: Any) -> bool:
    """Whether two JSON values are the same; true is not 1, although Python says so."""
    match value, wanted:
        case (dict(), dict()):
            return value.keys() == wanted.keys() and all(_same(value[key], wanted[key]) for key in wanted)
        case (list(), list()):
            return len(value) == len(wanted) and all(map(_same, value, wanted))
        case _:
            return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)


def decoded(body: str) -> Any:
    """The JSON document in `body`; raises `ValueError` where there is none, or one that is nested too deeply."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def values_at(document: Any, path: str) -> list[Any]:
    """What the JSON path `path` finds in `document`; nothing where that is nested too deeply to be searched."""
    import jsonpath_rfc9535  # noqa: PLC0415  # loaded only where JSON is expected

    try:
        return list(jsonpath_rfc9535.find(path, document).values())
    except (jsonpath_rfc9535.JSONPathError, RecursionError):
        return []


def status_fits(status: int, expected: int | None) -> bool:
    """Whether an HTTP status is the expected one; any success or redirection when none is."""
    return fits(status, () if expected is None else (range(expected, expected + 1),))
