"""Which images the names in FROM stand for today, as the engine knows them.

The digest of inputs has only the name of a base image in it, because it has to be the same on every machine, also on
one without an engine. That is not enough to leave out a build: the name may stand for another image by now.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._ci.digest import digest_of
from hullmark._engines.digests import known_digests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._process import Commands
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Project

LABEL = "io.hullmark.bases"
"""The label that an image carries the digest of its base images in."""
_ALWAYS_BUILT = ("no_cache", "pull")
"""What of `build` asks for more than what is there, each time."""
_SECONDS = 20.0


@dataclass(kw_only=True)
class Bases:
    """The base images of a project's services; each is asked for once."""

    project: Project
    inputs: Callable[[str], BuildInputs | None]
    """What the image of a service is built from; `None` where that cannot be read."""
    commands: Commands = field(repr=False)
    _known: dict[str, str | None] = field(default_factory=dict)

    def digest(self, service: str) -> str | None:
        """One digest for all images that the service's is built upon, also through those of other services.

        `None` where the engine does not have one of them, or where one of the services asks for a build each time, so
        that what it is built upon is only known afterwards.
        """
        found: dict[str, str] = {}
        seen: set[str] = set()
        pending = [service]
        while pending:
            name = pending.pop()
            if name in seen:
                continue
            seen.add(name)
            inputs = self.inputs(name)
            build = declared_build(self.project, name)
            if inputs is None or any(build.get(key) for key in _ALWAYS_BUILT):
                return None
            for base in inputs.bases:
                image = self._image(base)
                if image is None:
                    return None
                found[base] = image
            pending += [other for other, _ in inputs.services]
        return digest_of(tuple(sorted(found.items())))

    def _image(self, reference: str) -> str | None:
        """What `reference` stands for: the digest that it says or that it was pulled by, or else the image's id."""
        if "@" in reference:
            return reference.rpartition("@")[2]
        if reference not in self._known:
            self._known[reference] = known_digests((reference,), self.commands).get(reference) or self._id(
                reference
            )
        return self._known[reference]

    def _id(self, reference: str) -> str | None:
        argv = ("docker", "image", "inspect", "--format", "{{.Id}}", "--", reference)
        completed = self.commands.run(argv, timeout=_SECONDS)
        return completed.stdout.strip() or None if completed.returncode == 0 else None


def declared_build(project: Project, service: str) -> Mapping[str, Any]:
    """What Compose says of how the image of `service` is built."""
    services: dict[str, Any] = json.loads(project.resolved).get("services") or {}
    return (services.get(service) or {}).get("build") or {}
