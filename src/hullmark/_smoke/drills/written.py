"""What containers write outside of their mounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hullmark._smoke.stack import Stack


def outside_of_mounts(stack: Stack) -> dict[str, tuple[str, ...]]:
    """For each service of `stack` the paths that it has added or changed in its own root, sorted."""
    found: dict[str, tuple[str, ...]] = {}
    for name in stack.timeline.wanted:
        paths: set[str] = set()
        for container in stack.containers(name):
            mounts = {each["Destination"] for each in container.attrs.get("Mounts") or ()}
            mounts |= set(container.attrs["HostConfig"].get("Tmpfs") or {})
            paths |= deepest({str(each["Path"]) for each in container.diff() or ()}, mounts)
        found[name] = tuple(sorted(paths))
    return found


def deepest(paths: Iterable[str], mounts: Iterable[str]) -> set[str]:
    """`paths` without the directories that merely hold others, and without what the engine makes for `mounts`."""
    made = {*paths}
    holding = {path for path in made if any(other.startswith(f"{path}/") for other in (*made, *mounts))}
    return made - holding - {*mounts}
