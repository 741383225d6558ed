"""Images of single stages, out of the builder's cache: what a squashed image was copied from."""

from __future__ import annotations

import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from hullmark.errors import Unavailable
from hullmark.model.dockerfile import StageBase

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._engines.docker import Engine
    from hullmark._process import Commands
    from hullmark.model.dockerfile import Recipe
    from hullmark.model.project import Project, Service

REPOSITORY = "hullmark-stage"
"""What the images are called while they are there."""


def copied_from(recipe: Recipe) -> tuple[int, ...]:
    """The stages, by index and sorted, that the stages of `recipe` copy files from."""
    return tuple(
        sorted(
            {
                instruction.source.index
                for stage in recipe.stages
                for instruction in stage.instructions
                if instruction.keyword == "COPY" and isinstance(instruction.source, StageBase)
            }
        )
    )


@contextlib.contextmanager
def stage_images(
    project: Project,
    service: Service,
    recipe: Recipe,
    engine: Engine,
    commands: Commands,
    *,
    labels: Callable[[str], Mapping[str, str]],
) -> Iterator[dict[int, str]]:
    """What to call the images of the stages that `service` is copied from, by index, while the context lasts.

    Right after the service was built they come out of the builder's cache, and nothing is built again. They carry
    what `labels` gives for the name of a run of their own, so that what is left of one that was killed can be told.
    Raises `Unavailable` when they cannot be built.
    """
    indexes = copied_from(recipe)
    if not indexes:
        yield {}
        return
    run = uuid.uuid4().hex[:12]
    owned = labels(f"{REPOSITORY}-{run}")
    names = {index: f"{REPOSITORY}-{run}:{index}" for index in indexes}
    raw: dict[str, Any] = json.loads(project.resolved)
    build = raw["services"][service.name]["build"]
    kept = build.get("labels") or {}
    for index, name in names.items():
        target = recipe.dockerfile.stages[index].name or str(index)
        # Not the tags and the cache exports of the service, which would be overwritten with a stage.
        own = {key: value for key, value in build.items() if key not in {"tags", "cache_to"}}
        raw["services"][f"{run}-{index}"] = {
            "image": name,
            "build": {**own, "target": target, "labels": {**kept, **owned}},
        }
    try:
        completed = commands.run(
            (
                "docker",
                "compose",
                "--project-directory",
                str(project.root),
                "-f",
                "-",
                "--progress",
                "plain",
                "build",
                *(f"{run}-{index}" for index in indexes),
            ),
            cwd=project.root,
            env={"BUILDKIT_PROGRESS": "plain", "NO_COLOR": "1"},
            stdin=json.dumps(raw),
        )
        if completed.returncode != 0:
            last = [line for line in completed.stderr.splitlines() if line.strip()][-1:]
            raise Unavailable(
                f"the stages that `{service.name}` is copied from cannot be built: {''.join(last)}",
                hint=f"`hullmark build {service.name}` says more",
            )
        yield names
    finally:
        _remove(engine, names.values())


def _remove(engine: Engine, names: Any) -> None:
    """Takes the names away; what is in the builder's cache stays there."""
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine

    for name in names:
        with contextlib.suppress(DockerException):
            engine.client.images.remove(name, force=False)
