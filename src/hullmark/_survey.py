"""What a project has today, gathered for its first `hullmark.toml`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._anatomy import Reading
from hullmark._compose import TEST_ENV_FILE, TEST_FILES, resolve
from hullmark._dockerfile import recipe_of
from hullmark._root import find_root
from hullmark._settings.candidates import Candidate
from hullmark._settings.proposal import propose
from hullmark.errors import Unavailable, UsageError
from hullmark.model.location import shown
from hullmark.model.project import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hullmark._checks import Surroundings
    from hullmark.model.dockerfile import Instruction, Recipe
    from hullmark.model.image import Image
    from hullmark.model.project import Project, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a first `hullmark.toml` is written from, and the file."""

    root: Path
    """The directory of the project."""
    text: str
    """Of the file."""
    tests: str | None
    """What makes the test stack, where it was found by its name and is what the file is about."""
    warnings: tuple[str, ...]
    """What Compose warns of."""


def survey(
    directory: Path, flags: Mapping[str, str], surroundings: Surroundings, tell: Callable[[str], None]
) -> Survey:
    """What the project that `directory` belongs to has; `tell` is told what is being looked at.

    A `hullmark.toml` that is there is not looked at. Images are read where there is an engine that has them. Raises
    `ConfigurationError` where Compose or a Dockerfile cannot be read, and `Interrupted`.
    """
    named = tuple(
        str((directory / name).absolute()) for name in flags.get("project.compose", "").split(",") if name
    )
    root = find_root(directory, Path(named[0]) if named else None)
    env_file = flags.get("project.env-file")
    tests = None if named else next((name for name in TEST_FILES if (root / name).is_file()), None)
    if tests is not None:
        # The stack that tests start is the one whose probes and links are worth writing down.
        main = resolve(root, Settings(), surroundings.commands).files
        named = (*map(str, main), str(root / tests))
        if env_file is None and (root / TEST_ENV_FILE).is_file():
            env_file = TEST_ENV_FILE
    profiles = tuple(name for name in flags.get("project.profiles", "").split(",") if name)
    settings = Settings(compose=named, env_file=env_file, profiles=profiles)
    project = resolve(root, settings, surroundings.commands)
    tell(f"looking at {len(project.services)} services and the images that they have")
    candidates = [_candidate(project, service, surroundings) for service in project.services]
    compose = tuple(shown(Path(name), root) for name in named)
    return Survey(
        root=root,
        text=propose(candidates, compose=compose, env_file=env_file, tests=tests),
        tests=tests,
        warnings=project.warnings,
    )


def _candidate(project: Project, service: Service, surroundings: Surroundings) -> Candidate:
    raw: dict[str, Any] = json.loads(project.resolved)["services"][service.name]
    recipe = recipe_of(service, project.root)
    image = _image(service, surroundings)
    return Candidate(
        name=service.name,
        built=service.build is not None,
        ports=service.ports,
        exposed=_exposed(image, recipe),
        health_check=_health_check(raw, image, recipe),
        user=_user(raw, image, recipe),
        size=None if image is None else image.unpacked,
        depends_on=tuple(name for name, _ in service.depends_on),
        environment=tuple(
            (name, str(value)) for name, value in (raw.get("environment") or {}).items() if value is not None
        ),
        one_shot=service.name in project.one_shots,
    )


def _image(service: Service, surroundings: Surroundings) -> Image | None:
    """The image as it is in the engine, where there is one and it is there."""
    try:
        return Reading(surroundings.commands, surroundings.environ, surroundings.cancelled).bare(
            f"docker:{service.image}"
        )
    except (Unavailable, UsageError):
        return None


def _health_check(raw: Mapping[str, Any], image: Image | None, recipe: Recipe | None) -> str | None:
    declared = raw.get("healthcheck") or {}
    if declared.get("disable"):
        return None
    if declared.get("test"):
        return " ".join(map(str, declared["test"]))
    if image is not None and image.configuration.health_check is not None:
        return " ".join(image.configuration.health_check.test)
    found = None if recipe is None else recipe.final.last("HEALTHCHECK")
    return None if found is None else found.value


def _user(raw: Mapping[str, Any], image: Image | None, recipe: Recipe | None) -> str | None:
    if raw.get("user"):
        return str(raw["user"])
    if image is not None:
        return image.configuration.user
    found = None if recipe is None else recipe.final.last("USER")
    return None if found is None else found.value.strip()


def _exposed(image: Image | None, recipe: Recipe | None) -> tuple[int, ...]:
    if image is not None and image.configuration.ports:
        return tuple(sorted(port for text in image.configuration.ports if (port := _tcp(text))))
    instructions: tuple[Instruction, ...] = () if recipe is None else recipe.final.history
    words = [word for each in instructions if each.keyword == "EXPOSE" for word in each.value.split()]
    return tuple(sorted({port for word in words if (port := _tcp(word))}))


def _tcp(text: str) -> int | None:
    """The port that an image exposes as `text`, where that is one of TCP."""
    number, _, protocol = text.partition("/")
    return int(number) if number.isdecimal() and protocol in {"", "tcp"} else None
