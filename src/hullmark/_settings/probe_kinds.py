"""The kinds of values that only probes take: statuses, headers, patterns, JSON, and what is captured."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from typing import Any

from hullmark._settings.kinds import Kind, describe

_TOKEN = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"  # noqa: S105  # what RFC 9110 calls so
_SENT = r"[^\u0000-\u0008\u000A-\u001F\u007F]*"
_NAME = "[A-Za-z_][A-Za-z0-9_]*"
_CLASS = "[1-5]xx"
_HOST = r"[A-Za-z0-9._\-$\{\}]+(?::[0-9]+)?"


def _one_status(value: Any) -> range:
    if isinstance(value, str) and re.fullmatch(_CLASS, value):
        return range(int(value[0]) * 100, int(value[0]) * 100 + 100)
    if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:  # noqa: PLR2004  # RFC 9110
        return range(value, value + 1)
    raise ValueError(
        f'expected an HTTP status from 100 to 599, a class such as "2xx", or a list of them, got {describe(value)}'
    )


def _statuses(value: Any) -> tuple[range, ...]:
    if isinstance(value, list) and value:
        return tuple(map(_one_status, value))
    return (_one_status(value),)


def _headers(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError(f'expected a table such as {{ Accept = "text/html" }}, got {describe(value)}')
    for name, text in value.items():
        if not re.fullmatch(_TOKEN, name):
            raise ValueError(f'expected names of headers, got "{name}"')
        if not isinstance(text, str) or not re.fullmatch(_SENT, text):
            raise ValueError(f"expected text on one line for `{name}`, got {describe(text)}")
    return tuple(value.items())


def _pattern(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected a regular expression, got {describe(value)}")
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"expected a regular expression, got {describe(value)}: {error}") from error
    return value


def _patterns(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError(f"expected a list of regular expressions, got {describe(value)}")
    return tuple(map(_pattern, value))


def _json_path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("$"):
        raise ValueError(f"expected a JSON path that starts with `$`, got {describe(value)}")
    import jsonpath_rfc9535  # noqa: PLC0415  # only for who expects something of JSON

    try:
        jsonpath_rfc9535.compile(value)
    except jsonpath_rfc9535.JSONPathError as error:
        raise ValueError(f"expected a JSON path, got {describe(value)}: {error}") from error
    return value


def _as_json(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_json(item) for key, item in value.items()}
        case list():
            return [_as_json(item) for item in value]
        case dt.date() | dt.time():
            return value.isoformat()
        case float() if not math.isfinite(value):
            raise ValueError(f"expected what JSON can say, got {describe(value)}")
        case _:
            return value


def _json(value: Any) -> str:
    return json.dumps(_as_json(value), ensure_ascii=False)


def _host(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_HOST, value):
        raise ValueError(f'expected a name such as "shop.example", got {describe(value)}')
    return value


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"expected a whole number from 0, got {describe(value)}")
    return value


def _captures(value: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError(f'expected a table such as {{ ID = "$.id" }}, got {describe(value)}')
    for name, pattern in value.items():
        if not re.fullmatch(_NAME, name):
            raise ValueError(f'expected names of letters, digits and `_`, got "{name}"')
        if isinstance(pattern, str) and pattern.startswith("$"):
            _json_path(pattern)
        else:
            _pattern(pattern)
    return tuple(value.items())


_STATUS = {
    "anyOf": [
        {"type": "integer", "minimum": 100, "maximum": 599},
        {"type": "string", "pattern": f"^{_CLASS}$"},
    ]
}
STATUSES = Kind(
    name="HTTP status, class, or list of them",
    read=_statuses,
    schema={"anyOf": [*_STATUS["anyOf"], {"type": "array", "items": _STATUS, "minItems": 1}]},
    scalar=False,
)
HEADERS = Kind(
    name="table of headers",
    read=_headers,
    schema={
        "type": "object",
        "propertyNames": {"pattern": f"^{_TOKEN}$"},
        "additionalProperties": {"type": "string", "pattern": f"^{_SENT}$"},
    },
    scalar=False,
)
_REGEX = {"type": "string", "minLength": 1, "format": "regex"}
PATTERN = Kind(name="regular expression", read=_pattern, schema=_REGEX)
PATTERNS = Kind(
    name="list of regular expressions",
    read=_patterns,
    schema={"type": "array", "items": _REGEX},
    scalar=False,
)
JSON_PATH = Kind(name="JSON path", read=_json_path, schema={"type": "string", "pattern": "^[$]"})
JSON = Kind(name="any value", read=_json, schema={}, scalar=False)
HOST = Kind(name="host name", read=_host, schema={"type": "string", "pattern": f"^{_HOST}$"})
COUNT = Kind(name="whole number", read=_count, schema={"type": "integer", "minimum": 0}, scalar=False)
CAPTURES = Kind(
    name="table of JSON paths and regular expressions",
    read=_captures,
    schema={
        "type": "object",
        "propertyNames": {"pattern": f"^{_NAME}$"},
        "additionalProperties": {"type": "string", "minLength": 1},
    },
    scalar=False,
)
