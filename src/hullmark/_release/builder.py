"""The builder of buildx that a release is built with: what drives it, and for which platforms it builds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hullmark._images.platforms import Platform
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from hullmark._process import Commands

_SECONDS = 120.0
_FIELD = re.compile(r"^(?P<key>[A-Za-z ]+):\s*(?P<value>.*)$")
DOCKER = "docker"
"""The driver that is part of the engine: it has images, and pushes them under a tag."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A builder; its nodes may be on any machine."""

    name: str
    driver: str
    platforms: frozenset[str]
    """Of all of its nodes; empty where it does not say."""

    @property
    def in_engine(self) -> bool:
        """Whether what it builds becomes an image of the engine first."""
        return self.driver == DOCKER

    def builds(self, platform: str) -> bool:
        """Whether it can run programs for `platform`."""
        return not self.platforms or platform in self.platforms


def inspect(commands: Commands, name: str | None, *, starting: bool = True) -> Builder:
    """The builder called `name`, or the current one.

    It is started unless `starting` is false; one that has never been started says nothing of its platforms.
    Raises `Unavailable` where there is no buildx, no such builder, or it does not start.
    """
    argv = (
        "docker",
        "buildx",
        "inspect",
        *(("--bootstrap",) if starting else ()),
        *((name,) if name else ()),
    )
    ran = commands.run(argv, timeout=_SECONDS)
    if ran.returncode != 0:
        said = (ran.stderr or ran.stdout).strip().splitlines()
        why = said[-1].removeprefix("ERROR: ") if said else f"exit status {ran.returncode}"
        if "is not a docker command" in ran.stderr:
            raise Unavailable(
                "images are built with buildx, which is not installed", hint="install docker-buildx"
            )
        called = f"the builder `{name}`" if name else "the current builder"
        raise Unavailable(
            f"{called} cannot be used: {why}", hint="`docker buildx ls` lists those that there are"
        )
    return parse(ran.stdout)


def parse(text: str) -> Builder:
    """What `docker buildx inspect` says."""
    named = driver = ""
    platforms: set[str] = set()
    for line in text.splitlines():
        found = _FIELD.match(line.strip())
        if found is None:
            continue
        key, value = found["key"], found["value"]
        if key == "Name" and not named:
            named = value
        elif key == "Driver" and not driver:
            driver = value
        elif key == "Platforms":
            # An asterisk marks those that somebody has chosen by hand.
            platforms.update(
                str(Platform.parse(each.strip(" *"))) for each in value.split(",") if each.strip()
            )
    if not driver:
        raise Unavailable(
            "what `docker buildx inspect` says is not understood", hint="is buildx older than 0.10?"
        )
    return Builder(name=named, driver=driver, platforms=frozenset(platforms))
