"""What an image takes of which nobody says whether it changed: what git ignores, what lies outside of the repository.

Of such a file there is no earlier version to compare with, but for the one that the image was last built from here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hullmark._dockerfile.walk import files_below
from hullmark.model.affected import Reason
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._ci.plan import Plan
    from hullmark.model.affected import Changes
    from hullmark.model.inputs import BuildInputs

_METADATA = ".git"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastBuild:
    """What is known of what images were last built from."""

    entries: Callable[[str], Mapping[str, str] | None]
    """By service: the inputs of a digest; `None` where nothing is recorded."""
    value: Callable[[str], str | None]
    """What stands for the file at an absolute path in a digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taken:
    """A file that an image takes."""

    entry: str | None
    """What it is called in a digest; `None` where that has no more of it than its name."""
    where: str
    """Its absolute path."""
    why: str
    """Why it is not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """Says what of the images of `plan` is not among `changes`."""

    plan: Plan
    changes: Changes
    root: str
    """The directory of the project, links resolved."""
    top: str
    """The top of the repository."""
    last: LastBuild

    def of(self, service: str) -> tuple[list[Reason], list[str]]:
        """Why the image of `service` has to be built although git says nothing of it, and what is to be noted."""
        inputs = self.plan.inputs[service]
        reasons = list(self._metadata(inputs))
        notes = [f"`{service}` takes {each}: not compared" for each in self._outside(inputs)]
        taken = self._taken(inputs)
        entries = self.last.entries(service) if taken else None
        same: dict[str, list[str]] = {}
        for each in taken:
            path = self._own(each.where)
            if entries is None or each.entry is None:
                same.setdefault(f"{each.why}: not compared", []).append(path)
            elif entries.get(each.entry) == readable(self.last.value(each.where) or ""):
                same.setdefault(f"{each.why}: as when it was last built here", []).append(path)
            else:
                text = (
                    f"`{service}` takes it, {each.why}, and it is not as when `{service}` was last built here"
                )
                reasons.append(Reason(path=path, text=text))
        for told, paths in same.items():
            more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
            notes.append(f"`{service}` takes {paths[0]}{more}, {told}")
        return reasons, notes

    def _metadata(self, inputs: BuildInputs) -> Iterator[Reason]:
        """What git keeps for itself, which every commit changes."""
        path = f"{self.top}/{_METADATA}"
        if self.changes.changes and os.path.isdir(path):  # noqa: PTH112
            own = self._own(path)
            for because in inputs.below(PurePosixPath(own))[:1]:
                yield Reason(path=own, text=f"{because}, and every commit changes it", span=because.span)

    def _outside(self, inputs: BuildInputs) -> Iterator[str]:
        """What is taken from elsewhere on this machine."""
        found = []
        for name, directory in inputs.contexts.items():
            where = os.path.normpath(f"{self.root}/{directory}")
            # A context may begin above the repository and be used within it alone.
            way = tuple(os.path.relpath(self.top, where).split("/"))
            selections = (each for each in inputs.selections if each.context == name)
            if self._is_outside(where) and any(each.parts[: len(way)] != way for each in selections):
                found.append(where)
        for path in inputs.files:
            where = os.path.normpath(f"{self.root}/{path}")
            if self._is_outside(where) and os.path.lexists(where) and os.path.dirname(where) not in found:  # noqa: PTH120
                found.append(where)
        for where in dict.fromkeys(found):
            yield f"{self._own(where)}, which lies outside of the repository"

    def _is_outside(self, where: str) -> bool:
        return not f"{where}/".startswith(f"{self.top}/")

    def _taken(self, inputs: BuildInputs) -> list[_Taken]:
        """What the image takes of what git does not compare."""
        suspects = [each for each in self.changes.uncompared if self._may_take(inputs, each.path)]
        files = {f"{self.top}/{each.path}": each.why for each in suspects if not each.path.endswith("/")}
        trees = {f"{self.top}/{each.path}": each.why for each in suspects if each.path.endswith("/")}
        found = []
        for where, why in (*files.items(), *trees.items()):
            if self._own(where) in inputs.files or not os.path.lexists(where):
                found.append(_Taken(entry=None, where=where, why=why))
        for context, path, where in files_below(inputs, self.plan.root) if suspects else ():
            reason = files.get(where) or next((trees[top] for top in trees if where.startswith(top)), None)
            if reason and not (os.path.isdir(where) and not os.path.islink(where)):  # noqa: PTH112, PTH114
                entry = f"file {context}:{path}" if context else f"file {path}"
                found.append(_Taken(entry=readable(entry), where=where, why=reason))
        return sorted(found, key=lambda each: each.where)

    def _may_take(self, inputs: BuildInputs, path: str) -> bool:
        own = PurePosixPath(self._own(f"{self.top}/{path}"))
        return bool(inputs.below(own) if path.endswith("/") else inputs.match(own))

    def _own(self, path: str) -> str:
        """`path` from the project's root on."""
        return os.path.relpath(path, self.root)
