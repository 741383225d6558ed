"""Images that somebody named: in the engine, or fetched by their digest, before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.errors import Unavailable
from hullmark.model.outcome import Check

if TYPE_CHECKING:
    from hullmark._engines import Engine
    from hullmark._process import Commands
    from hullmark.model.progress import Progress
    from hullmark.model.project import Project

_LAST_LINES = 2
"""Of what a pull that fails prints, these say why."""


def fetch_given(project: Project, engine: Engine, commands: Commands, progress: Progress) -> tuple[str, ...]:
    """Has the engine get the images that were given for services of `project` and that it has not got; those.

    Only those with a digest: what a name stands for on this machine and elsewhere may be two things. Raises
    `Unavailable` for an image that cannot be had, with every service it concerns.
    """
    wanted: dict[str, list[str]] = {}
    for name in project.given:
        wanted.setdefault(project.service(name).image, []).append(name)
    fetched = []
    for image, names in wanted.items():
        if _has(engine, image):
            continue
        shown = ", ".join(f"`{name}`" for name in names)
        if "@" not in image:
            raise Unavailable(
                f"the image `{image}` that was given for {shown} is not in the engine, and has no digest to pull it by",
                hint=f"`docker pull {image}`",
            )
        for name in names:
            progress.begin(Check.SMOKE, name, f"pulling {image}")
        pulled = commands.run(("docker", "pull", "-q", image))
        if pulled.returncode != 0:
            why = "; ".join((pulled.stderr or pulled.stdout).strip().splitlines()[-_LAST_LINES:])
            raise Unavailable(f"the image `{image}` that was given for {shown} cannot be pulled: {why}")
        fetched.append(image)
    return tuple(fetched)


def _has(engine: Engine, image: str) -> bool:
    from docker.errors import ImageNotFound  # noqa: PLC0415  # loaded with the engine

    try:
        engine.client.images.get(image)
    except ImageNotFound:
        return False
    return True
