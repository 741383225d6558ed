"""Plans of projects, kept in the user's cache directory as long as all that they were made from is the same.

Nobody but the user can read them: they hold no values of the environment and of build arguments, but the names of
files, and addresses of contexts that are elsewhere. Whatever goes wrong with them is as if there were none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._ci.evidence import VERSION, Sources, digest, is_fresh
from hullmark._ci.plan import MALFORMED, decode, encode, packed
from hullmark._files import cache_directory, write_whole
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._ci.plan import Plan

_SUFFIX = ".plan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A plan that was found, and what Compose reads for it."""

    plan: Plan
    configuration: tuple[str, ...]
    """By absolute path; of some it counts that they are not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plans:
    """What is kept below `directory`; nothing where that is `None`."""

    directory: Path | None
    environ: Mapping[str, str]
    flags: Mapping[str, str]
    """What the command line says of the configuration; a plan is one for the same."""

    def get(self, root: Path) -> Kept | None:
        """The plan of the project in `root`, where one was made and nothing has changed since."""
        path = self._path(root)
        if path is None:
            return None
        try:
            with open(path, "rb") as file:  # noqa: PTH123
                raw = json.loads(file.read())
            sources = Sources(
                configuration=tuple(raw["configuration"]),
                files=tuple(raw["files"]),
                links=tuple(raw["links"]),
            )
            plan = decode(raw["plan"])
            if plan.root != root or digest(sources, plan, self.environ) != raw["digest"]:
                return None
        except (OSError, *MALFORMED):
            return None
        return Kept(plan=plan, configuration=sources.configuration)

    def keep(self, plan: Plan, sources: Sources, started: float) -> None:
        """Keeps `plan`, which began to be made from `sources` at `started`, for those who come later.

        Not where somebody may have changed something meanwhile.
        """
        path = self._path(plan.root)
        if path is None:
            return
        made_from = digest(sources, plan, self.environ)
        if made_from is None or is_fresh(sources, started):
            return
        content = packed(
            {
                "digest": made_from,
                "configuration": sources.configuration,
                "files": sources.files,
                "links": sources.links,
                "plan": encode(plan),
            }
        )
        with contextlib.suppress(Unavailable):
            write_whole(path, content, what="the plan of a project", private=True)

    def _path(self, root: Path) -> Path | None:
        if self.directory is None:
            return None
        named = json.dumps([VERSION, str(root), sorted(self.flags.items())])
        return self.directory / f"{hashlib.sha256(named.encode()).hexdigest()}{_SUFFIX}"


def plans(environ: Mapping[str, str], flags: Mapping[str, str]) -> Plans:
    """The plans of the user whose environment that is, beside the records of inputs."""
    keeps = environ.get("HULLMARK_NO_CACHE", "") in {"", "0"}
    found = cache_directory(environ) if keeps else None
    return Plans(
        directory=None if found is None else found / "inputs",
        environ=environ,
        flags=dict(sorted(flags.items())),
    )
