"""What the options of the configuration are made of: tables, keys, and the kinds of values they take."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark.model.duration import WRITTEN as DURATION_WRITTEN
from hullmark.model.duration import parse_duration
from hullmark.model.size import WRITTEN as SIZE_WRITTEN
from hullmark.model.size import parse_size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark.model.project import UserPolicy

_AGE = r"\s*([0-9]{1,5})\s*(days?|d|h)\s*"
_AGES = {"d": 86400.0, "h": 3600.0}
HIGHEST_PORT = 65535
_HASH = "sha256:[0-9a-f]{16,64}"
# From 1 to 65535, so that an editor can say it too.
_PORT = "(?:6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3})"
_HOST = "[A-Za-z0-9._-]+"
_LINK = rf"(?:https?://{_HOST}(?::{_PORT})?(?:[/?]\S*)?|tcp://{_HOST}:{_PORT})"
# Who drops to root has dropped nothing.
_DROPS_TO = r"drops-to:(?!(?:root|0+)$)[^\s:]+"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_FEEDS = "expected a URL (`https://...`, `http://...`, `file:///...`) or a directory"
_FEED_HOST = rf"(?:[^\s/?#@]*@)?(?:{_HOST}|\[[0-9A-Fa-f:.]+\])(?::{_PORT})?(?:/[^\s?#]*)?"
# Zero is written without any other digit.
_NOT_ZERO = "(?=[^1-9]*[1-9])"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A type of value: how it is read, and how the JSON Schema describes it."""

    name: str
    """As the documentation calls it."""
    read: Callable[[Any], Any]
    """From the TOML value to ours; raises `ValueError` saying what was expected."""
    schema: dict[str, Any]
    scalar: bool = True
    """Whether it is given as one text in an environment variable or on the command line, and not as several."""
    words: Mapping[str, Any] = field(default_factory=dict)
    """TOML values that are no texts, by what they are called there."""

    def told(self, text: str) -> Any:
        """The TOML value that `text` stands for, in an environment variable or on the command line."""
        return self.words.get(text, text) if self.scalar else [part for part in text.split(",") if part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key of a table."""

    key: str
    kind: Kind
    help: str
    default: str = ""
    """As the documentation shows it; empty when there is none."""
    required: bool = False
    environment: str | None = None
    """The variable that overrides it."""
    flag: str | None = None
    """The option of the command line that overrides it, with its dashes."""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """One of several options of a table that exclude each other."""

    key: str
    needs: tuple[str, ...] = ()
    """Keys that must stand beside it."""
    fits: tuple[str, ...] = ()
    """Keys that may stand beside it, and beside no alternative that does not name them as well; `expect.rows` is the
    key `rows` of the table `expect`."""

    @property
    def own(self) -> tuple[str, ...]:
        """Everything that may stand with it and not with every other."""
        return (*self.needs, *self.fits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the configuration and what may stand in it."""

    key: str
    """Its name in its parent; `*` for a table whose names are the user's (the services)."""
    help: str
    options: tuple[Option, ...] = ()
    tables: tuple[Table, ...] = ()
    array: bool = False
    """Whether it is written `[[key]]` and repeated."""
    filled: bool = False
    """Whether such a list needs an entry."""
    alternatives: tuple[Alternative, ...] = ()
    """Options of which exactly one must be given, if there are any."""

    @property
    def names(self) -> tuple[str, ...]:
        """The keys that may stand in it."""
        return (*(o.key for o in self.options), *(t.key for t in self.tables if t.key != "*"))


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"expected text, got {describe(value)}")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise ValueError(f"expected a list of texts, got {describe(value)}")
    return tuple(value)


def _hash(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_HASH, value):
        raise ValueError(
            f"expected a hash such as `sha256:0123456789abcdef`, of at least 16 digits, got {describe(value)}"
        )
    return value


def _allowed(value: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(value, list):
        raise ValueError(
            f"expected a list of hashes such as `sha256:0123456789abcdef`, got {describe(value)}"
        )
    found = []
    for number, item in enumerate(value, 1):
        entry = item if isinstance(item, dict) else {"hash": item}
        try:
            _hash(entry.get("hash"))
            if isinstance(item, dict):
                _text(entry.get("reason"))
            if "expires" in entry:
                _date(entry["expires"])
            if "owner" in entry:
                _text(entry["owner"])
            if other := sorted({*entry} - {"hash", "reason", "expires", "owner"}):
                raise ValueError(f"expected `hash`, `reason`, `expires` and `owner`, got `{other[0]}`")
        except ValueError as error:
            raise ValueError(f"entry {number}: {error}") from error
        found.append(entry)
    return tuple(found)


def _command(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
        raise ValueError(f'expected a list of words, such as ["pg_isready", "-q"], got {describe(value)}')
    return tuple(value)


def _port(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= HIGHEST_PORT:
        raise ValueError(f"expected a port from 1 to {HIGHEST_PORT}, got {describe(value)}")
    return value


def _status(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 100 <= value <= 599:  # noqa: PLR2004  # RFC 9110
        raise ValueError(f"expected an HTTP status from 100 to 599, got {describe(value)}")
    return value


def _size(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError(f"expected a size such as `600 MB`, got {describe(value)}")
    return parse_size(value)


def _age(value: Any) -> float:
    found = re.fullmatch(_AGE, value) if isinstance(value, str) else None
    if found is None or not int(found[1]):
        raise ValueError(f"expected an age such as `7 days` or `12 h`, got {describe(value)}")
    return int(found[1]) * _AGES[found[2][0]]


def _duration(value: Any) -> float:
    if not isinstance(value, str):
        raise ValueError(f"expected a duration such as `90 s`, got {describe(value)}")
    return parse_duration(value)


def _user(value: Any) -> UserPolicy:
    from hullmark.model.project import AnyUser, DropsTo, NonRoot  # noqa: PLC0415  # mostly not needed

    match value:
        case "non-root":
            return NonRoot()
        case "any":
            return AnyUser()
        case str() if re.fullmatch(_DROPS_TO, value):
            return DropsTo(name=value.removeprefix("drops-to:"))
        case str() if re.fullmatch(r"drops-to:(root|0+)", value):
            raise ValueError(f"expected a user to drop to that is not root, got {describe(value)}")
        case _:
            raise ValueError(f"expected `non-root`, `any` or `drops-to:NAME`, got {describe(value)}")


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"expected true or false, got {describe(value)}")
    return value


def _date(value: Any) -> dt.date:
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError(f"expected a date such as 2027-06-30, without quotes, got {describe(value)}")
    return value


def _http_path(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(f"expected a path that starts with `/`, got {describe(value)}")
    return value


def _link_target(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_LINK, value):
        expected = "expected http://SERVICE[:PORT]/PATH, https://SERVICE/... or tcp://SERVICE:PORT"
        raise ValueError(f"{expected}, got {describe(value)}")
    return value


def describe(value: Any) -> str:
    """A TOML value in words, for messages: its type and, where it is short, itself."""
    match value:
        case str():
            return f'"{value}"'
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return f"`{value}`"


def _feed(value: Any) -> str:
    text = _text(value)
    scheme, there, rest = text.partition("://")
    if not there or not _SCHEME.fullmatch(scheme):
        if re.match(r"(?i)(?:https?|file):", text):
            raise ValueError(f"{_FEEDS}, got {describe(value)}: after the scheme comes `//`")
        return text
    match scheme.lower():
        case "http" | "https":
            if not re.fullmatch(_FEED_HOST, rest):
                raise ValueError(f"{_FEEDS}, got {describe(value)}: that is no URL of a host")
        case "file":
            if not rest.startswith("/"):
                raise ValueError(
                    f"{_FEEDS}, got {describe(value)}: after `file://` comes a path from the root"
                )
        case other:
            raise ValueError(f"{_FEEDS}, got {describe(value)}: the scheme `{other}` is unknown here")
    return text


def choice(*words: str) -> Kind:
    """One of `words`."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"expected one of {', '.join(f'`{w}`' for w in words)}, got {describe(value)}")
        return str(value)

    return Kind(name=" | ".join(words), read=read, schema={"enum": list(words)})


_STRINGS = {"type": "array", "items": {"type": "string", "minLength": 1}}
TEXT = Kind(name="text", read=_text, schema={"type": "string", "minLength": 1})
TEXTS = Kind(name="list of texts", read=_texts, schema=_STRINGS, scalar=False)
HASH = Kind(name="hash", read=_hash, schema={"type": "string", "pattern": f"^{_HASH}$"})
ALLOWED = Kind(
    name="list of hashes, or of tables with one",
    read=_allowed,
    schema={
        "type": "array",
        "items": {
            "anyOf": [
                {"type": "string", "pattern": f"^{_HASH}$"},
                {
                    "type": "object",
                    "properties": {
                        "hash": {"type": "string", "pattern": f"^{_HASH}$"},
                        "reason": {"type": "string", "minLength": 1},
                        "expires": {"type": "string", "format": "date"},
                        "owner": {"type": "string", "minLength": 1},
                    },
                    "required": ["hash", "reason"],
                    "additionalProperties": False,
                },
            ]
        },
    },
    scalar=False,
)
COMMAND = Kind(
    name="list of words",
    read=_command,
    schema={"type": "array", "items": {"type": "string"}, "minItems": 1},
    scalar=False,
)
PORT = Kind(
    name="port", read=_port, schema={"type": "integer", "minimum": 1, "maximum": HIGHEST_PORT}, scalar=False
)
STATUS = Kind(
    name="HTTP status", read=_status, schema={"type": "integer", "minimum": 100, "maximum": 599}, scalar=False
)
SIZE = Kind(
    name="size",
    read=_size,
    schema={
        "type": "string",
        "pattern": rf"^\s*{_NOT_ZERO}{SIZE_WRITTEN}\s*$",
        "examples": ["600 MB", "1.5 GiB"],
    },
)
DURATION = Kind(
    name="duration",
    read=_duration,
    schema={
        "type": "string",
        "pattern": rf"^\s*{_NOT_ZERO}{DURATION_WRITTEN}\s*$",
        "examples": ["90 s", "2 min"],
    },
)
AGE = Kind(
    name="age",
    read=_age,
    schema={"type": "string", "pattern": rf"^{_NOT_ZERO}{_AGE}$", "examples": ["7 days", "12 h"]},
)
USER = Kind(
    name="non-root | any | drops-to:NAME",
    read=_user,
    schema={"type": "string", "pattern": f"^(?:non-root|any|{_DROPS_TO})$"},
)
FLAG = Kind(
    name="true | false",
    read=_flag,
    schema={"type": "boolean"},
    words={"true": True, "false": False, "1": True, "0": False},
)
DATE = Kind(name="date", read=_date, schema={"type": "string", "format": "date"}, scalar=False)
FEED = Kind(
    name="URL | directory",
    read=_feed,
    schema={
        "type": "string",
        "pattern": rf"^(?:[Hh][Tt][Tt][Pp][Ss]?://{_FEED_HOST}|[Ff][Ii][Ll][Ee]:///[\s\S]*"
        rf"|(?!{_SCHEME.pattern}://|[Hh][Tt][Tt][Pp][Ss]?:|[Ff][Ii][Ll][Ee]:)[\s\S]+)$",
    },
)
HTTP_PATH = Kind(name="path", read=_http_path, schema={"type": "string", "pattern": "^/"})
LINK_TARGET = Kind(name="URL", read=_link_target, schema={"type": "string", "pattern": f"^{_LINK}$"})
TLS = choice("off", "verify", "insecure")
