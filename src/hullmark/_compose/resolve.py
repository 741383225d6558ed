"""From a directory to a `Project`, through `docker compose config`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hullmark._compose.positions import service_spans, shown
from hullmark.errors import ConfigurationError, Unavailable, UsageError, nearest
from hullmark.model.location import SourceSpan
from hullmark.model.project import Build, Project, Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark._process import Commands
    from hullmark.model.project import Settings

COMPOSE_FILES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What Compose looks for, best first."""
OVERRIDES = (
    "compose.override.yaml",
    "compose.override.yml",
    "docker-compose.override.yaml",
    "docker-compose.override.yml",
)
CONFIGURATION = ("hullmark.toml", *COMPOSE_FILES)
_INSTALL = "install Docker with its Compose plugin, see docs/engine.md"


def find_root(start: Path) -> Path:
    """The directory of the project that `start` belongs to: the nearest one, going up, with a Compose file.

    Raises `ConfigurationError` when there is none up to the root of the repository or the file system.
    """
    for directory in (start, *start.parents):
        if any((directory / name).is_file() for name in CONFIGURATION):
            return directory
        if (directory / ".git").exists():
            break
    raise ConfigurationError(
        [f"{start}: no Compose file here or above; expected one of {', '.join(COMPOSE_FILES)}"],
        hint="go to the project's directory, or name it with `hullmark -C DIRECTORY`",
    )


def resolve(root: Path, settings: Settings, commands: Commands) -> Project:
    """The Compose project in `root`, resolved.

    Raises `ConfigurationError` when a file is missing, is no YAML, is refused by Compose, or when
    `hullmark.toml` names services that the project has not got; `Unavailable` when Compose is not there.
    """
    files = _files(root, settings)
    spans = service_spans(files, root)
    arguments = _arguments(root, settings)
    completed = commands.run(
        ("docker", "compose", *arguments, "config", "--format", "json"), cwd=root, timeout=60
    )
    if completed.returncode != 0:
        raise _refusal(completed.stderr, files, root, spans)
    raw = json.loads(completed.stdout)
    name = raw["name"]
    project = Project(
        name=name,
        root=root,
        services=tuple(
            _service(
                service,
                raw["services"][service],
                name,
                spans.get(service, SourceSpan(path=shown(files[0], root))),
            )
            for service in sorted(raw.get("services") or {})
        ),
        settings=settings,
        resolved=completed.stdout,
        compose_arguments=arguments,
    )
    _check_names(project)
    return project


def _files(root: Path, settings: Settings) -> tuple[Path, ...]:
    if settings.compose:
        files = tuple(root / name for name in settings.compose)
        origin = dict(settings.origins).get("project.compose", "hullmark.toml")
        missing = [f"{origin}: `{shown(file, root)}` does not exist" for file in files if not file.is_file()]
        if missing:
            raise ConfigurationError(missing)
    else:
        main = next((root / name for name in COMPOSE_FILES if (root / name).is_file()), None)
        if main is None:
            raise ConfigurationError([f"{root}: no Compose file; expected one of {', '.join(COMPOSE_FILES)}"])
        override = next((root / name for name in OVERRIDES if (root / name).is_file()), None)
        files = (main, override) if override else (main,)
    return files


def _arguments(root: Path, settings: Settings) -> tuple[str, ...]:
    arguments: list[str] = ["--project-directory", str(root)]
    for name in settings.compose:
        arguments += ["-f", str(root / name)]
    if settings.env_file:
        file = root / settings.env_file
        if not file.is_file():
            origin = dict(settings.origins).get("project.env-file", "hullmark.toml")
            raise ConfigurationError([f"{origin}: the env file `{settings.env_file}` does not exist"])
        arguments += ["--env-file", str(file)]
    for profile in settings.profiles:
        arguments += ["--profile", profile]
    return tuple(arguments)


def _refusal(
    stderr: str, files: tuple[Path, ...], root: Path, spans: Mapping[str, SourceSpan]
) -> ConfigurationError | Unavailable:
    """What Compose's refusal means, with the line of the service that it is about."""
    lines = [line for line in stderr.strip().splitlines() if "level=warning" not in line]
    text = "\n".join(lines) or "no reason given"
    if (
        "is not a docker command" in text
        or "unknown command: docker compose" in text
        or "unknown shorthand flag" in text
    ):
        return Unavailable("the Docker CLI has no Compose plugin", hint=_INSTALL)
    text = re.sub(r"^(validating|parsing) \S+?: ", "", text).replace(f"{root}/", "")
    named = re.search(r"services?[.\s\"]+([\w.-]+?)[.\":\s]", f"{text} ")
    place = spans.get(named[1]) if named else None
    where = str(place) if place else shown(files[0], root)
    return ConfigurationError(
        [f"{where}: Compose refuses the project: {text}"], hint="`docker compose config` says the same"
    )


def _service(name: str, raw: Mapping[str, Any], project: str, span: SourceSpan) -> Service:
    return Service(
        name=name,
        image=raw.get("image") or f"{project}-{name}",
        build=_build(raw["build"]) if raw.get("build") else None,
        span=span,
        ports=tuple(
            sorted(
                {
                    int(port["target"])
                    for port in raw.get("ports") or ()
                    if port.get("protocol", "tcp") == "tcp"
                }
            )
        ),
        depends_on=tuple(
            sorted(
                (other, how.get("condition", "service_started"))
                for other, how in (raw.get("depends_on") or {}).items()
            )
        ),
        restarts=(raw.get("restart") or "no").partition(":")[0] not in {"no", ""},
    )


def _build(raw: Mapping[str, Any]) -> Build:
    context = Path(str(raw.get("context", ".")))
    dockerfile = str(raw.get("dockerfile", "Dockerfile"))
    if raw.get("dockerfile_inline"):
        unreadable = "its Dockerfile is written inline in the Compose file"
    elif not context.is_absolute():
        unreadable = f"its build context is remote: {context}"
    else:
        unreadable = None
        dockerfile = str(context / dockerfile)
    return Build(
        context=str(raw.get("context", ".")),
        dockerfile=dockerfile,
        target=raw.get("target") or None,
        unreadable=unreadable,
        args=tuple(
            sorted((name, str(value)) for name, value in (raw.get("args") or {}).items() if value is not None)
        ),
    )


def _check_names(project: Project) -> None:
    """Every service that the settings name must be one of the project's."""
    valid = [service.name for service in project.services]
    settings = project.settings
    named: list[tuple[SourceSpan | None, str]] = [(s.origin, name) for name, s in settings.services]
    named += [(link.origin, link.from_service) for link in settings.links]
    named += [(i.origin, i.service) for i in settings.ignores if i.service is not None]
    problems = [f"{span}: {unknown_service(name, valid)}" for span, name in named if name not in valid]
    if problems:
        raise ConfigurationError(problems)


def unknown_service(name: str, valid: Iterable[str]) -> str:
    """A sentence that says that there is no service `name`, and which there are."""
    valid = sorted(valid)
    meant = nearest(name, valid)
    question = f"did you mean `{meant}`? " if meant else ""
    return f"no service `{name}` in the project; {question}(services: {', '.join(valid) or 'none'})"


def chosen_services(project: Project, names: Iterable[str]) -> tuple[Service, ...]:
    """The services with images of their own that `names` asks for; all of them when it is empty.

    Raises `UsageError` for a name that the project has not got, or that it does not build.
    """
    names = tuple(dict.fromkeys(names))
    by_name = {service.name: service for service in project.services}
    for name in names:
        if name not in by_name:
            raise UsageError(unknown_service(name, by_name))
        if by_name[name].build is None:
            built = ", ".join(service.name for service in project.built) or "none"
            raise UsageError(
                f"service `{name}` runs `{by_name[name].image}` and builds no image (built: {built})"
            )
    return tuple(by_name[name] for name in names) if names else project.built
