"""Which distribution an image is, from its `os-release`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.inventory import Distribution

if TYPE_CHECKING:
    from hullmark.model.filesystem import FileSystem

PLACES = ("/etc/os-release", "/usr/lib/os-release")
"""Where it may be; the first that is there counts."""
LARGEST = 1 << 16
_LINE = re.compile(
    r"""[ \t]*([A-Z][A-Z0-9_]*)=(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\s"'#]*))[ \t\r]*""", re.DOTALL
)
_ESCAPED = re.compile(r"\\([\"$`\\])")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_IN_BRACKETS = re.compile(r"\(([A-Za-z]+)(?: [A-Za-z]+)?\)|, ([A-Za-z]+) [A-Za-z]+")
_LONGEST = 200
"""Characters of one value that are believed."""


def find_distribution(system: FileSystem) -> Distribution | None:
    """The distribution, `None` where no file names one; the layers have to be read with a `PackageCapture`."""
    for path in PLACES:
        real = system.resolve(path)
        content = system.captured(real) if real is not None else None
        if content is not None:
            found = read(content.decode("utf-8", "replace"), path)
            if found is not None:
                return found
    return None


def read(text: str, path: str = "") -> Distribution | None:
    """The distribution that the text of an `os-release` tells of; `None` without a usable ID."""
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is not None:
            quoted, single, bare = match[2], match[3], match[4]
            value = (
                _ESCAPED.sub(r"\1", quoted) if quoted is not None else single if single is not None else bare
            )
            fields[match[1]] = "".join(filter(str.isprintable, value))[:_LONGEST]
    name = fields.get("ID", "").lower()
    if not _NAME.fullmatch(name):
        return None
    named = _IN_BRACKETS.search(fields.get("VERSION", ""))
    codename = fields.get("VERSION_CODENAME") or fields.get("UBUNTU_CODENAME")
    if not codename:
        codename = (named[1] or named[2]).lower() if named else ""
    return Distribution(
        id=name,
        version_id=fields.get("VERSION_ID", ""),
        codename=codename,
        id_like=tuple(word for word in fields.get("ID_LIKE", "").lower().split() if _NAME.fullmatch(word)),
        name=fields.get("PRETTY_NAME", ""),
        path=path,
    )
