"""The secrets in files that are there to hold some: whatever is the value of a secret there is one, however short."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from hullmark._secrets.credential_files import values_in
from hullmark._secrets.plausible import is_password
from hullmark._secrets.redaction import fingerprint, shown
from hullmark._secrets.variables import hidden_in, is_environment_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARIABLE = re.compile(
    rb"^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]{0,200})[ \t]*[=:][ \t]*"
    rb"(?:'(?P<single>[^'\n]*)'|\"(?P<double>(?:[^\"\\\n]|\\.)*)\"|(?P<bare>[^\s'\"#][^\r\n]*))",
    re.MULTILINE,
)
_COMMENT = re.compile(rb"[ \t]#")


class Named(NamedTuple):
    """One secret, without itself."""

    begin: int
    end: int
    """Of its bytes in the file."""
    what: str
    """In words: the value of which variable, or the credentials for what."""
    shown: str
    hash: str


def named_secrets(path: str, content: bytes) -> Iterator[Named]:
    """The secrets in the file at `path`, which is there to hold some."""
    found = _variables(content) if is_environment_file(path) else values_in(path, content)
    for begin, value, what in found:
        if is_password(value):
            yield Named(begin, begin + len(value), what, shown(value), fingerprint(value))


def _variables(content: bytes) -> Iterator[tuple[int, bytes, str]]:
    for match in _VARIABLE.finditer(content):
        group = str(match.lastgroup)
        value = _COMMENT.split(match[group], maxsplit=1)[0].rstrip() if group == "bare" else match[group]
        name = match["name"].decode()
        if value and hidden_in(name, value.decode("utf-8", "surrogateescape")) is not None:
            yield match.start(group), value, f"the value of `{name}`"
