"""What containers write outside of their mounts, and what their logs say that they could not write."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark._smoke.stack import Stack

_LOG = 200
"""Lines at the end of a log that are searched for what could not be written."""
_REFUSED = re.compile(r"read-only file system|EROFS", re.IGNORECASE)
_QUOTED = re.compile(r"""['"`\u2018\u201c](/[^'"`\u2019\u201d\n]+)['"`\u2019\u201d]""")
_BARE = re.compile(r"(?:^|[\s:=(])(/[^\s:;,'\"()\[\]]+)")

_INIT = ("/sbin/docker-init", "/usr/sbin/docker-init")
"""Where the engine mounts the program for `init: true`, which it does not call a mount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What one service did to its own root while the stack worked."""

    paths: tuple[str, ...] = ()
    """What it has added, changed or deleted there, sorted."""
    refused: tuple[str, ...] = ()
    """What its log says that it could not write."""
    stowed: frozenset[str] = frozenset()
    """Files of this host that it may write to, and of which it has a copy."""


def written_by(stack: Stack) -> dict[str, Written]:
    """What each service of `stack` did to its own root."""
    return {name: _written_by(stack, name) for name in stack.timeline.wanted}


def _written_by(stack: Stack, service: str) -> Written:
    stowed = frozenset(file.target for file in stack.copy.files if file.service == service)
    paths: set[str] = set()
    for container in stack.containers(service):
        mounts = {each["Destination"] for each in container.attrs.get("Mounts") or ()}
        mounts |= {*(container.attrs["HostConfig"].get("Tmpfs") or {}), *_INIT}
        paths |= deepest({str(each["Path"]) for each in container.diff() or ()}, mounts | stowed)
    return Written(paths=tuple(sorted(paths)), refused=refused(log(stack, service)), stowed=stowed)


def deepest(paths: Iterable[str], mounts: Iterable[str]) -> set[str]:
    """`paths` without the directories that merely hold others, and without what the engine makes for `mounts`."""
    made = {*paths}
    holding = {path for path in made if any(other.startswith(f"{path}/") for other in (*made, *mounts))}
    return made - holding - {*mounts}


def log(stack: Stack, service: str) -> str:
    """The end of what the containers of `service` have written into their logs."""
    return "\n".join(each.logs(tail=_LOG).decode("utf-8", "replace") for each in stack.containers(service))


def refused(text: str) -> tuple[str, ...]:
    """The paths that a log says could not be written because the file system is read-only, in its order."""
    found: list[str] = []
    for line in text.splitlines():
        if sign := _REFUSED.search(line):
            before, after = line[: sign.start()], line[sign.end() :]
            # Whoever quotes means the path; otherwise it is the last one before the reason, or the first after it.
            quoted = _QUOTED.findall(after)[:1] or _QUOTED.findall(before)[-1:]
            found += quoted or _BARE.findall(before)[-1:] or _BARE.findall(after)[:1]
    return tuple(dict.fromkeys(found))


def directories(paths: Iterable[str]) -> tuple[str, ...]:
    """The directories that `paths` lie in, without those that lie in another one."""
    parents = sorted({posixpath.dirname(path) or "/" for path in paths} - {"/"})
    kept: list[str] = []
    for each in parents:
        if not any(each.startswith(f"{other}/") for other in kept):
            kept.append(each)
    return tuple(kept)
