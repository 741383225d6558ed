"""What the images of a project are built from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._dockerfile import load, parse
from hullmark._dockerfile.inputs import build_inputs
from hullmark.errors import ConfigurationError, UsageError
from hullmark.model.inputs import Because

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.dockerfile import Dockerfile
    from hullmark.model.inputs import BuildInputs
    from hullmark.model.project import Project, Service


def inputs_of(project: Project, names: Iterable[str] | None = None) -> dict[str, BuildInputs]:
    """What the image of each of the services called `names` is built from, of all when none are given.

    A service whose context is elsewhere is not among them. Raises `ConfigurationError` with everything that is wrong
    in the Dockerfiles.
    """
    raw: dict[str, Any] = json.loads(project.resolved).get("services") or {}
    wanted = None if names is None else set(names)
    found: dict[str, BuildInputs] = {}
    problems: list[str] = []
    parsed: dict[tuple[str, str], Dockerfile] = {}
    for service in project.built:
        if wanted is not None and service.name not in wanted:
            continue
        try:
            read = _read(project, service, raw[service.name], parsed)
        except ConfigurationError as error:
            problems += [problem for problem in error.problems if problem not in problems]
        except UsageError as error:
            problems.append(f"{service.span}: service `{service.name}`: {error.message}")
        else:
            if read is not None:
                found[service.name] = read
    if problems:
        raise ConfigurationError(problems)
    return found


def _read(
    project: Project, service: Service, raw: Mapping[str, Any], parsed: dict[tuple[str, str], Dockerfile]
) -> BuildInputs | None:
    build, declared = service.build, raw["build"]
    assert build is not None
    if not Path(build.context).is_absolute():
        return None
    inline = declared.get("dockerfile_inline")
    args = dict(build.args)
    key = (build.dockerfile if not inline else f"\0{service.name}", json.dumps(sorted(args.items())))
    if key not in parsed:
        # A heavy parse for what many services share.
        parsed[key] = (
            parse(str(inline).replace("$$", "$"), service.span.path, args=args)
            if inline
            else load(Path(build.dockerfile), project.root, args=args)
        )
    return build_inputs(
        parsed[key].recipe(build.target),
        project.root,
        context=Path(build.context),
        dockerfile=None if inline else Path(build.dockerfile),
        because=Because(text=f"the Dockerfile of `{service.name}`", span=service.span),
        args=args,
        target=build.target,
        platform=_platform(raw),
        contexts=_contexts(declared),
        images=_images(project, service),
    )


def _platform(raw: Mapping[str, Any]) -> str | None:
    platforms = (raw.get("build") or {}).get("platforms") or ()
    return raw.get("platform") or (",".join(platforms) or None)


def _contexts(declared: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(where) for name, where in (declared.get("additional_contexts") or {}).items()}


def _images(project: Project, service: Service) -> dict[str, str]:
    """The names under which a Dockerfile may mean the image of another service."""
    found: dict[str, str] = {}
    for other in project.built:
        if other.name == service.name:
            continue
        found[other.image] = other.name
        if not re.search(r":[^/]+$", other.image):
            found[f"{other.image}:latest"] = other.name
        found.setdefault(re.sub(r":latest$", "", other.image), other.name)
    return found
