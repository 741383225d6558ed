"""What situations may ask of the project and of the machine that a log is probably of."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._compose import TEST_ENV_FILE, TEST_FILES
from hullmark._dockerfile import recipe_of
from hullmark._engines.ports import holder, is_taken
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.location import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._engines import Engine
    from hullmark._images.interface import Request
    from hullmark._process import Commands
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.image import Image
    from hullmark.model.project import Project, Service

    Opener = Callable[[str, Request], Image]


class Patient:
    """The project in a directory and the machine it is on; what is not there is asked for in vain and raises nothing.

    `connect` and `opener` are called at most when a situation needs an engine or an image, and may raise
    `HullmarkError`.
    """

    def __init__(
        self,
        *,
        directory: Path,
        project: Project | None = None,
        commands: Commands | None = None,
        connect: Callable[[], Engine] | None = None,
        opener: Opener | None = None,
        labels: Callable[[str], Mapping[str, str]] = lambda _: {},
    ) -> None:
        self.directory = directory
        self.project = project
        self.commands = commands
        self.opener = opener
        self.labels = labels
        self._connect = connect

    @cached_property
    def engine(self) -> Engine | None:
        """The engine of this machine; `None` where none answers."""
        if self._connect is None:
            return None
        try:
            return self._connect()
        except Interrupted:
            raise
        except HullmarkError:
            return None

    @property
    def has_images(self) -> bool:
        """Whether images can be looked into."""
        return self.opener is not None and self.engine is not None

    @property
    def test_stack(self) -> tuple[str, ...]:
        """What `docker compose` is told to mean the test stack beside the project; empty where there is none."""
        if self.project is None or not self.project.files:
            return ()
        files = self.project.files
        place = files[0].parent
        test = next((place / name for name in TEST_FILES if (place / name).is_file()), None)
        if test is None or test in files:
            return ()
        env = place / TEST_ENV_FILE
        return (
            *(word for file in (*files, test) for word in ("-f", shown(file, self.directory))),
            *(("--env-file", shown(env, self.directory)) if env.is_file() else ()),
        )

    def holder(self, port: int) -> str:
        """Who holds the TCP port now, in words; empty where nobody does or that cannot be seen."""
        from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

        try:
            return holder(port, self.engine)
        except (DockerException, OSError):
            return holder(port)

    def container(self, name: str) -> str | None:
        """The container called `name`, in words: what it was made from, and how it is; `None` where it is not seen."""
        from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

        if self.engine is None:
            return None
        try:
            found = self.engine.client.containers.get(name)
            project = found.labels.get("com.docker.compose.project")
            image = found.attrs.get("Config", {}).get("Image", "")
        except (DockerException, OSError):
            return None
        of = f", of the Compose project `{project}`" if project else ""
        return f"a container of `{image}`{of}; it is {found.status}"

    def is_taken(self, port: int) -> bool:
        """Whether somebody listens at the TCP port now."""
        return is_taken(port)

    def built(self, name: str | None) -> tuple[Service, ...]:
        """The services of the project that are built: the one that a log calls `name`, or all where it names none."""
        if self.project is None:
            return ()
        return tuple(each for each in self.project.built if name is None or each.name == name)

    def of_step(self, step: str | None) -> str | None:
        """The service that a step of a build belongs to: Compose puts its name in front where it builds several."""
        if self.project is None or step is None:
            return None
        first = step.split(" ")[0]
        return first if any(each.name == first for each in self.project.built) else None

    def recipe(self, service: Service) -> Recipe | None:
        """What the image of `service` is made from; `None` where that cannot be read."""
        assert self.project is not None
        try:
            return recipe_of(service, self.project.root)
        except HullmarkError:
            return None

    def declared(self, service: str) -> Mapping[str, Any]:
        """What the resolved Compose file says of `service`. It holds secrets: never log or report it."""
        if self.project is None:
            return {}
        found: Mapping[str, Any] = (json.loads(self.project.resolved).get("services") or {}).get(service, {})
        return found

    def in_contexts(self, path: str, service: str | None) -> tuple[Path, ...]:
        """The files of the build contexts whose name ends with that of `path`, as an image has it."""
        name = path.rpartition("/")[2]
        found = []
        for each in self.built(service):
            recipe = self.recipe(each)
            context = Path(each.build.context) if each.build else None
            if recipe is None or context is None or not context.is_dir():
                continue
            for stage in recipe.stages:
                for instruction in stage.instructions:
                    if instruction.keyword not in {"COPY", "ADD"} or instruction.source is not None:
                        continue
                    *sources, destination = (word.text for word in instruction.words)
                    found += [
                        place
                        for source in sources
                        if (place := _lands(context, source, destination, path, name)) is not None
                    ]
        return tuple(dict.fromkeys(found))


def head(file: Path, length: int) -> bytes:
    """The first bytes of `file`; none where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return stream.read(length)
    except OSError:
        return b""


def _lands(context: Path, source: str, destination: str, path: str, name: str) -> Path | None:
    """The file below `context` that a COPY of `source` to `destination` puts at `path`, if there is one.

    `path` is what a log says: nothing that it leads to outside of the context, by `..` or by a link, is meant.
    """
    try:
        found = _found(context, source, destination, path, name)
        inside = found is not None and found.resolve(strict=True).is_relative_to(context.resolve(strict=True))
    except (OSError, ValueError, RuntimeError):  # no name that a file can have, or links in a circle
        return None
    return found if inside else None


def _found(context: Path, source: str, destination: str, path: str, name: str) -> Path | None:
    place = context / source.lstrip("/")
    if place.is_file() and place.name == name:
        return place
    if place.is_file() and destination == path:
        return place
    base = destination.rstrip("/")
    if place.is_dir() and path.startswith(f"{base}/"):
        inside = place / path.removeprefix(f"{base}/")
        return inside if inside.is_file() else None
    if place.is_dir() and (inside := place / name).is_file():
        return inside
    return None
