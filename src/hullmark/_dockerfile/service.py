"""From a service to the Dockerfile that its image is built from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile.context import measure
from hullmark._dockerfile.parser import load, parse

if TYPE_CHECKING:
    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Dockerfile, Recipe
    from hullmark.model.project import Service


def dockerfile_of(service: Service, root: Path) -> Dockerfile | None:
    """The Dockerfile of `service` with the arguments that Compose sets; `None` where there is none to be read here.

    Raises `ConfigurationError` as `load` does.
    """
    build = service.build
    if build is None or build.unreadable:
        return None
    return load(Path(build.dockerfile), root, args=dict(build.args))


def inline_of(service: Service) -> Dockerfile | None:
    """The Dockerfile that is written in the Compose file, where its lines can be told apart there; else `None`.

    Its places are those in the Compose file. Raises `ConfigurationError` as `parse` does.
    """
    inline = None if service.build is None else service.build.inline
    if service.build is None or inline is None or not inline.exact:
        return None
    start = (inline.span.line, inline.span.column)
    return parse(inline.text, inline.span.path, args=dict(service.build.args), start=start)


def recipe_of(service: Service, root: Path) -> Recipe | None:
    """What the image of `service` is made from; `None` where its Dockerfile cannot be read here.

    Raises `ConfigurationError` as `load` does, and `UsageError` for a target that is not there.
    """
    dockerfile = dockerfile_of(service, root)
    return None if dockerfile is None or service.build is None else dockerfile.recipe(service.build.target)


def context_of(service: Service, recipe: Recipe, root: Path, *, secrets: bool = False) -> Context | None:
    """What a build of the image of `service` takes out of its context; `None` where that is not a directory here.

    With `secrets` it is looked through for them.
    """
    build = service.build
    if build is None or (build.unreadable and build.inline is None):
        return None
    if not Path(build.context).is_absolute() or not Path(build.context).is_dir():
        return None
    return measure(
        recipe,
        root,
        context=Path(build.context),
        dockerfile=None if build.inline is not None else Path(build.dockerfile),
        args=dict(build.args),
        secrets=secrets,
    )
