"""What tells a secret from an ordinary variable: its name, or the format of its value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._secrets.engine import find, plain
from hullmark._secrets.names import is_named_like_secret
from hullmark._secrets.plausible import is_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_HARMLESS = re.compile(
    r"(|\d{1,6}|true|false|yes|no|on|off|none|null|[01]|disabled|enabled|/\S*)", re.IGNORECASE
)
# In a variable any password is one, also that of an example.
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<value>[^/\s:@]+)@", re.IGNORECASE)


_EXAMPLES = frozenset({"example", "sample", "template", "tmpl", "dist", "default", "defaults"})


_DEFAULT = re.compile(r"\$\{(\w+):?-")
_WORDS = re.compile(r"[a-z]+([ _-][a-z]+)*")


def defaults_in(text: str) -> Iterator[tuple[str, str]]:
    """Each variable that `text` takes with a default of its own, and the default: `${NAME:-value}`, also inside of one."""
    for match in _DEFAULT.finditer(text):
        dollars = len(text[: match.start() + 1]) - len(text[: match.start() + 1].rstrip("$"))
        if dollars % 2 == 0:
            continue  # a doubled dollar stands for itself
        depth, end = 1, match.end()
        while end < len(text) and depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        if not depth:
            yield match[1], text[match.end() : end - 1]


def secret_default(name: str, variable: str, default: str) -> str | None:
    """What is secret about `default`, which `name` has where `variable` is not set; `None` when nothing is.

    One that is made of plain words (`postgres`, `change-me`) says itself that it is none.
    """
    if found := format_in(variable, default):
        return found
    # Compose doubles a dollar that stands for itself.
    if "$" in default.replace("$$", "") or _WORDS.fullmatch(default) or _HARMLESS.fullmatch(default):
        return None
    named = next((each for each in (variable, name) if is_named_like_secret(each)), None)
    return None if named is None else f"`{named}` has a default of {len(default)} characters"


def is_environment_file(path: str) -> bool:
    """Whether the file at `path` is called `.env` and more, or `prod.env`, and that more is no other word and no example."""
    name = path.rpartition("/")[2]
    if ".env" not in name:
        return False
    rest = name.removeprefix(".env")
    words = rest.replace("-", ".").replace("_", ".").split(".")
    if rest == name:
        return name.endswith(".env") and not _EXAMPLES.intersection(re.split(r"[._-]", name))
    return (rest == "rc" or not rest[:1].isalpha()) and words[-1] not in _EXAMPLES


def format_in(name: str, text: str) -> str | None:
    """What in `text`, the value of the variable `name`, has the format of a secret; `None` where nothing has."""
    found = find(text.encode("utf-8", "surrogateescape"), plain())
    what = next((match.detector.what for match in found), None)
    if what is None and any(url_passwords(text)):
        what = "a URL with a password"
    return None if what is None else f"`{name}` holds {what}"


def url_passwords(text: str) -> Iterator[str]:
    """The passwords in the URLs in `text`, as far as they stand there themselves."""
    for match in _URL.finditer(text):
        if not is_reference(match["value"].encode("utf-8", "surrogateescape")):
            yield match["value"]


def secret_in(name: str, value: str) -> str | None:
    """What is secret about the variable, `None` when nothing is; never the value itself."""
    if found := format_in(name, value):
        return found
    return None if hidden_in(name, value) is None else f"`{name}` has a value of {len(value)} characters"


def hidden_in(name: str, value: str) -> bytes | None:
    """The value of the variable, where its name says that it is a secret, and it does not say that it is none."""
    if is_named_like_secret(name) and not _HARMLESS.fullmatch(value):
        return value.encode("utf-8", "surrogateescape")
    return None
