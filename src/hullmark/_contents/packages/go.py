"""Modules of programs of Go, as the compiler lists them in the program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.owner import OwnerKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.embedded import Holder
    from hullmark.model.owner import Package

STANDARD_LIBRARY = "stdlib"
"""What the packages that come with Go are called together."""
_GO = re.compile(r"go(\d+\.\d+(?:\.\d+)?(?:(?:beta|rc)\d+)?)(?![\w.])")
_PATH = re.compile(r"[\w.~!@+-]+(?:/[\w.~!@+-]+)*")
_LONGEST = 512
_UNKNOWN = "(devel)"
_GIVEN = re.compile(r"-X[ =]+[\\\"']*([\w./-]+)=v?(\d+\.\d+[\w.+-]*)")
"""A text that the linker put into the program, where it looks like a version."""


def modules(holder: Holder, go: str, text: str) -> Iterator[Package]:
    """The standard library, and the modules that `text` lists, one that another replaces as that one."""
    version = _GO.match(go)
    yield holder.package(OwnerKind.GO, STANDARD_LIBRARY, version[1] if version else "")
    main, flags = "", ""
    found: list[tuple[str, str]] = []
    for line in text.split("\n"):
        kind, _, rest = line.partition("\t")
        words = rest.split("\t")
        if kind == "build" and rest.startswith("-ldflags="):
            flags = rest
        if kind not in {"mod", "dep", "=>"} or not _PATH.fullmatch(words[0].lstrip("./")):
            continue
        name, said = words[0][:_LONGEST], words[1][:_LONGEST] if len(words) > 1 else ""
        if kind == "mod":
            main = name
        if kind != "=>":
            found.append((name, said))
        elif found:
            # A directory in the place of a module has no version, and is not the one that was published.
            found[-1] = (found[-1][0], "") if name.startswith((".", "/")) else (name, said)
    for name, said in dict.fromkeys(found):
        own = name == main
        if said == _UNKNOWN:
            said = _linked(flags, main) if own else ""  # noqa: PLW2901  # it is known after all
        yield holder.package(OwnerKind.GO, name, said, declared=own)


def _linked(flags: str, main: str) -> str:
    """The version that the linker was told, of a program that was built where no version was known."""
    given = [(key, value) for key, value in _GIVEN.findall(flags) if key.lower().endswith("version")]
    # That of a library can stand there as well.
    own = [value for key, value in given if key.startswith(("main.", f"{main}/", f"{main}."))]
    return f"v{own[0]}" if len(set(own)) == 1 else ""
