"""The options of a `--mount`, and which of them the builder refuses."""

from __future__ import annotations

import csv
import io
import posixpath
import re

_TYPES = ("bind", "cache", "secret", "ssh", "tmpfs")
_BARE = frozenset({"readonly", "ro", "readwrite", "rw", "required"})
"""Options that may stand without a value."""
_TRUTH = frozenset({"0", "1", "F", "False", "FALSE", "T", "True", "TRUE", "f", "false", "t", "true"})
_SIZE = re.compile(r"\d+(\.\d+)? ?([kmgtp]i?)?b?", re.IGNORECASE | re.ASCII)
_VALUES: dict[str, tuple[re.Pattern[str], str]] = {
    "gid": (re.compile(r"[0-9]+"), "a number"),
    "mode": (re.compile(r"[0-7]+"), "an octal number"),
    "sharing": (re.compile(r"shared|private|locked", re.IGNORECASE), "shared, private or locked"),
    "size": (_SIZE, "a size such as 64m"),
    "type": (re.compile("|".join(_TYPES), re.IGNORECASE), ", ".join(_TYPES[:-1]) + f" or {_TYPES[-1]}"),
    "uid": (re.compile(r"[0-9]+"), "a number"),
}
_ONLY: dict[str, tuple[str, ...]] = {
    "env": ("secret",),
    "gid": ("cache", "secret", "ssh"),
    "mode": ("cache", "secret", "ssh"),
    "required": ("secret", "ssh"),
    "sharing": ("cache",),
    "size": ("tmpfs",),
    "uid": ("cache", "secret", "ssh"),
}
"""Options that not every type has, and the types that have them."""
_TARGETS = ("target", "dst", "destination")
_KNOWN = frozenset({*_VALUES, *_BARE, *_ONLY, *_TARGETS, "from", "id", "source", "src"})


def options_of(value: str) -> tuple[tuple[str, str], ...]:
    """The options in the value of a `--mount`, in order, names in lower case; a bare one has an empty value."""
    return tuple(
        (name.strip().lower(), setting)
        for name, _, setting in (each.partition("=") for each in _fields(value))
    )


def problem(value: str) -> tuple[str, str] | None:
    """What the builder refuses in the value of a `--mount`, and what it expects; `None` when nothing.

    What depends on a variable is not judged.
    """
    fields = _fields(value)
    if not fields:
        return "a mount without options", "for example type=cache,target=/path"
    for field in fields:
        written, equals, setting = field.partition("=")
        name = written.strip().lower()
        if not equals and name not in _BARE:
            return f"`{field}` in a mount", "name=value"
        if name not in _KNOWN:
            return f"`{name}` in a mount", "one of " + ", ".join(sorted(_KNOWN))
        wrong = _wrong(name, setting) if equals and "$" not in setting else None
        if wrong is not None:
            return f"{name}={setting} in a mount", wrong
    options = dict(options_of(value))
    kind = options.get("type", "bind").lower()
    if "$" in kind:
        return None
    for name in options:
        if kind not in _ONLY.get(name, _TYPES):
            return f"`{name}` in a {kind} mount", f"it in a mount of type {' or '.join(_ONLY[name])}"
    return _without_place(kind, options)


def _without_place(kind: str, options: dict[str, str]) -> tuple[str, str] | None:
    target = next((options[name] for name in _TARGETS if name in options), "")
    if kind == "secret" and not any(options.get(name) for name in ("env", "id", "source", "src", *_TARGETS)):
        return "a secret mount without a name", "an id or a target"
    # A relative target, and none at all, is below the working directory, which a base image may have set.
    if kind in ("bind", "cache", "tmpfs") and target.startswith("/") and "$" not in target:
        whole = posixpath.normpath(target).lstrip("/")
        if not whole and ".." not in target:
            return f"a {kind} mount on {target}", "a directory below /"
    return None


def _wrong(name: str, setting: str) -> str | None:
    """What is expected instead of `setting` for the option called `name`."""
    if name in _BARE:
        return None if setting in _TRUTH else "true or false"
    pattern, expected = _VALUES.get(name, (None, ""))
    return None if pattern is None or pattern.fullmatch(setting) else expected


def _fields(value: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(value, newline="")), [])
    except csv.Error:
        return []
