"""From a directory to a `Project`, through `docker compose config`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hullmark._compose.isolate import unshareable
from hullmark._compose.outside import name_services
from hullmark._compose.positions import declarations
from hullmark._root import COMPOSE_FILES, OVERRIDES
from hullmark.errors import ConfigurationError, Unavailable, UsageError, nearest
from hullmark.model.location import SourceSpan, shown
from hullmark.model.project import Build, Inline, Project, Service, UserOverride

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._compose.positions import Declarations
    from hullmark._process import Commands, Completed
    from hullmark.model.project import Settings

_WARNING = re.compile(r'level=warning msg=("(?:[^"\\]|\\.)*")')
_UNSET = re.compile(r'The "(\S+)" variable is not set')
_MISSING = re.compile(r"required variable (\S+) is missing a value(?:: (.*))?")
_INSTALL = "install Docker with its Compose plugin (https://docs.docker.com/engine/install)"


def resolve(root: Path, settings: Settings, commands: Commands) -> Project:
    """The Compose project in `root`, resolved.

    Raises `ConfigurationError` when a file is missing, is no YAML, is refused by Compose, or when
    `hullmark.toml` names services that the project has not got; `Unavailable` when Compose is not there.
    """
    root = root.absolute()
    files = compose_files(root, settings)
    declared = declarations(files, root)
    arguments = arguments_of(root, settings, files)
    completed = _config(commands, arguments, root, declared, settings.env_file)
    if completed.returncode != 0:
        raise refusal(completed.stderr, files, root, declared)
    try:
        raw = json.loads(completed.stdout)
    except ValueError as error:
        raise Unavailable(
            "`docker compose config` answers with something that is no JSON", hint=_INSTALL
        ) from error
    name = raw["name"]
    named = name_services(raw)
    project = Project(
        name=name,
        root=root,
        services=tuple(
            _service(
                service,
                raw["services"][service],
                name,
                declared.services.get(service, SourceSpan(path=shown(files[0], root))),
                declared,
            )
            for service in sorted(raw.get("services") or {})
        ),
        settings=settings,
        resolved=json.dumps(raw) if named else completed.stdout,
        compose_arguments=arguments,
        files=files,
        warnings=_warnings(completed.stderr, declared, root),
    )
    _check_names(project, declared)
    return project


def _config(
    commands: Commands, arguments: tuple[str, ...], root: Path, declared: Declarations, env_file: str | None
) -> Completed:
    """What `docker compose config` answers; raises `ConfigurationError` with every required variable not set.

    Compose names one of them and stops, so it is asked again with that one given, until it names no other.
    """
    placeholders: dict[str, str] = {}
    problems = []
    argv = ("docker", "compose", *arguments, "config", "--format", "json")
    while True:
        completed = commands.run(argv, cwd=root, env=placeholders, timeout=60)
        missing = _MISSING.search(completed.stderr) if completed.returncode != 0 else None
        if missing is None or missing[1] in placeholders:
            break
        placeholders[missing[1]] = "1"
        # Compose names whichever place it comes to first, another one each time.
        place = declared.used(missing[1]) or declared.mentioned(missing.string)
        reason = f": {missing[2]}" if missing[2] else ""
        problems.append(f"{place or 'Compose'}: the variable `{missing[1]}` is required and not set{reason}")
    if problems:
        raise ConfigurationError(
            problems,
            hint=f"set it in the environment or in `{env_file or '.env'}`, or name a file that sets it: `--env-file FILE`, or "
            "`project.env-file` in hullmark.toml",
        )
    return completed


def _warnings(stderr: str, declared: Declarations, root: Path) -> tuple[str, ...]:
    """What Compose warns of, once each, with the places that it leaves out."""
    found = []
    for text in _WARNING.findall(stderr):
        message = json.loads(text)
        if unset := _UNSET.match(message):
            place = declared.used(unset[1])
            message = (
                f"{f'{place}: ' if place else ''}the variable `{unset[1]}` is not set and stands for nothing"
            )
        else:
            message = message.replace(f"{root}{os.sep}", "")
        found.append(message)
    return tuple(dict.fromkeys(found))


def compose_files(root: Path, settings: Settings) -> tuple[Path, ...]:
    """The Compose files of the project in `root`, absolute, later ones over earlier ones.

    Raises `ConfigurationError` when one that is named is missing, or when there is none.
    """
    names, origin = settings.compose, dict(settings.origins).get("project.compose", "hullmark.toml")
    if not names:
        names, origin = _named_by_compose(root, settings)
    if names:
        files = tuple(root / name for name in names)
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


def _named_by_compose(root: Path, settings: Settings) -> tuple[tuple[str, ...], str]:
    """The files that COMPOSE_FILE in the project's env file names, as Compose honours it, and that file."""
    file = settings.env_file or ".env"
    try:
        text = (root / file).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return (), file
    found = dict(re.findall(r"(?m)^\s*(?:export\s+)?(COMPOSE_\w+)\s*=\s*[\"']?([^\"'\n]*?)[\"']?\s*$", text))
    separator = found.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return tuple(name for name in found.get("COMPOSE_FILE", "").split(separator) if name), file


def arguments_of(root: Path, settings: Settings, files: tuple[Path, ...]) -> tuple[str, ...]:
    """What `docker compose` needs to be told to read `files` the way `settings` say.

    Raises `ConfigurationError` when the env file does not exist.
    """
    arguments: list[str] = ["--project-directory", str(files[0].parent)]
    for file in files:
        arguments += ["-f", str(file)]
    if settings.env_file:
        file = root / settings.env_file
        if not file.is_file():
            origin = dict(settings.origins).get("project.env-file", "hullmark.toml")
            raise ConfigurationError([f"{origin}: the env file `{settings.env_file}` does not exist"])
        arguments += ["--env-file", str(file)]
    for profile in settings.profiles:
        arguments += ["--profile", profile]
    return tuple(arguments)


def refusal(
    stderr: str, files: tuple[Path, ...], root: Path, declared: Declarations
) -> ConfigurationError | Unavailable:
    """What Compose's refusal means, with the line of the service that it is about."""
    lines = [line for line in stderr.strip().splitlines() if "level=warning" not in line]
    text = "\n".join(lines) or "no reason given"
    # The bare CLI takes the first option of a plugin that it has not got for one of its own.
    if re.search(r"is not a docker command|unknown command: docker compose|See 'docker --help'", text):
        return Unavailable("the Docker CLI has no Compose plugin", hint=_INSTALL)
    if re.match(r"Failed to initialize|unable to (resolve docker endpoint|parse docker host)", text):
        return Unavailable(
            f"the Docker CLI cannot use the engine it is told to: {lines[0]}",
            hint="see `docker context ls`, and DOCKER_HOST, DOCKER_CONTEXT and DOCKER_TLS_VERIFY in the environment",
        )
    text = re.sub(r"^(validating|parsing) \S+?: ", "", text)
    where = declared.mentioned(text) or shown(files[0], root)
    text = text.replace(f"{root}/", "")
    return ConfigurationError(
        [f"{where}: Compose refuses the project: {text}"], hint="`docker compose config` says the same"
    )


def _service(
    name: str, raw: Mapping[str, Any], project: str, span: SourceSpan, declared: Declarations
) -> Service:
    return Service(
        name=name,
        image=raw.get("image") or f"{project}-{name}",
        build=_build(raw["build"], name, span, declared) if raw.get("build") else None,
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
        volumes=tuple(
            sorted({str(each["target"]) for each in raw.get("volumes") or () if each.get("type") == "volume"})
        ),
        depends_on=tuple(
            sorted(
                (other, how.get("condition", "service_started"))
                for other, how in (raw.get("depends_on") or {}).items()
            )
        ),
        user=_user(raw, declared.place("services", name, "user") or span),
        **_restart(raw),
        memory_limit=_memory_limit(raw),
    )


def _user(raw: Mapping[str, Any], span: SourceSpan) -> UserOverride | None:
    return UserOverride(user=str(raw["user"]), span=span) if str(raw.get("user") or "") else None


def _restart(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What `restart`, or else `deploy.restart_policy`, says of starting a service again."""
    if raw.get("restart"):
        policy, _, limit = str(raw["restart"]).partition(":")
    else:
        deployed = (raw.get("deploy") or {}).get("restart_policy")
        policy = (
            "no"
            if deployed is None
            else {"none": "no"}.get(deployed.get("condition"), deployed.get("condition") or "any")
        )
        limit = str((deployed or {}).get("max_attempts") or "")
    return {
        "restarts": policy != "no",
        "restarts_when_done": policy in {"always", "unless-stopped", "any"},
        "restart_limit": int(limit) if policy == "on-failure" and limit.isdecimal() and int(limit) else None,
    }


def _memory_limit(raw: Mapping[str, Any]) -> tuple[str, int] | None:
    """The key that limits the memory of a service, and the bytes that it allows; 0 stands for no limit."""
    limits = ((raw.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    for key, size in (
        ("deploy.resources.limits.memory", limits.get("memory")),
        ("mem_limit", raw.get("mem_limit")),
    ):
        written = str(size or "")
        if written.isdecimal() and int(written):
            return key, int(written)
    return None


def _inline(text: str, service: str, span: SourceSpan, declared: Declarations) -> Inline:
    """The Dockerfile that Compose gives as `text`, with its place where the lines are those of the file."""
    text = text.replace("$$", "$")
    block = declared.blocks.get(f"services.{service}.build.dockerfile_inline")
    if block is None or block.text.count("\n") != text.count("\n"):
        return Inline(
            text=text,
            span=declared.place("services", service, "build", "dockerfile_inline") or span,
            exact=False,
        )
    exact = all(line - block.lines[0] == index for index, line in enumerate(block.lines))
    return Inline(text=text, span=block.span, exact=exact, lines=() if exact else block.lines)


def _build(raw: Mapping[str, Any], service: str, span: SourceSpan, declared: Declarations) -> Build:
    context = str(raw.get("context", "."))
    dockerfile = str(raw.get("dockerfile", "Dockerfile"))
    if raw.get("dockerfile_inline"):
        unreadable = "its Dockerfile is written inline in the Compose file"
    elif not Path(context).is_absolute():
        unreadable = f"its build context is remote: {context}"
    else:
        unreadable = None
        dockerfile = str(Path(context) / dockerfile)
    return Build(
        context=context,
        dockerfile=dockerfile,
        target=raw.get("target") or None,
        unreadable=unreadable,
        inline=_inline(str(raw["dockerfile_inline"]), service, span, declared)
        if raw.get("dockerfile_inline")
        else None,
        labels=tuple(sorted(raw.get("labels") or {})),
        contexts=tuple(sorted(raw.get("additional_contexts") or {})),
        args=tuple(
            # Compose doubles each dollar, so that its answer can be read as a Compose file again.
            sorted(
                (name, str(value).replace("$$", "$"))
                for name, value in (raw.get("args") or {}).items()
                if value is not None
            )
        ),
    )


def _check_names(project: Project, declared: Declarations) -> None:
    """Every service that the settings name, and all that the copy is to share, must be the project's."""
    valid = [service.name for service in project.services]
    settings = project.settings
    named: list[tuple[SourceSpan | None, str]] = [(s.origin, name) for name, s in settings.services]
    named += [(link.origin, link.from_service) for link in settings.links]
    named += [(i.origin, i.service) for i in settings.ignores if i.service is not None]
    problems = [
        f"{span}: service `{name}` belongs to a profile that is not enabled ({declared.services[name]})"
        if name in declared.services
        else f"{span}: {unknown_service(name, valid)}"
        for span, name in named
        if name not in valid
    ]
    known = {"localhost", *(name.lower() for name in valid), *_other_names(project)}
    problems += [
        f"{link.origin}: the link leads nowhere: {unknown_service(host, valid)}"
        for link in settings.links
        # A name with a dot is one of the world outside, unless the project says otherwise.
        if (host := urlsplit(link.to).hostname or "") not in known
        and "." not in host
        and not _meets_others(project, link.from_service)
    ]
    problems += [
        f"{settings.service(service.name).origin}: `restarts` of `{service.name}` allows what nobody does: it has no "
        "restart policy"
        for service in project.services
        if settings.service(service.name).restarts and not service.restarts
    ]
    origin = dict(settings.origins).get("smoke.shared", "hullmark.toml")
    problems += [f"{origin}: {problem}" for problem in unshareable(project)]
    if problems:
        asleep = any(name in declared.services for _, name in named if name not in valid)
        raise ConfigurationError(
            problems, hint="`project.profiles` lists the profiles to enable" if asleep else None
        )


def _other_names(project: Project) -> Iterator[str]:
    """What else services are called within their networks, in lower case as in a URL."""
    for service in (json.loads(project.resolved).get("services") or {}).values():
        for key in ("container_name", "hostname"):
            if service.get(key):
                yield str(service[key]).lower()
        for network in (service.get("networks") or {}).values():
            yield from (str(alias).lower() for alias in (network or {}).get("aliases") or ())
        hosts = service.get("extra_hosts") or ()
        yield from (re.split(r"[=:]", str(host), maxsplit=1)[0].lower() for host in hosts)
        yield from (str(link).rpartition(":")[2].lower() for link in service.get("links") or ())


def _meets_others(project: Project, name: str) -> bool:
    """Whether the service `name` is in a network where there may be more than this project."""
    service = (json.loads(project.resolved).get("services") or {}).get(name) or {}
    shared = set(project.settings.smoke_shared) & set(service.get("networks") or ())
    return bool(shared) or service.get("network_mode") == "host"


def unknown_service(name: str, valid: Iterable[str]) -> str:
    """A sentence that says that there is no service `name`, and which there are."""
    valid = sorted(valid)
    meant = nearest(name, valid)
    question = f"; did you mean `{meant}`?" if meant else ""
    return f"no service `{name}` in the project{question} (services: {', '.join(valid) or 'none'})"


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
