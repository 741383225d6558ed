"""What each service declares, with the place of each fact, and what the test stack beside it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hullmark._compose.plain_texts import plain_texts, shared_texts
from hullmark._compose.positions import declarations
from hullmark._compose.resolve import arguments_of, refusal
from hullmark._secrets.variables import defaults_in
from hullmark.model.composition import Awaited, Bound, Claim, Composition, HostPort, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hullmark._compose.positions import Declarations
    from hullmark._process import Commands
    from hullmark.model.dockerfile import HandedOn
    from hullmark.model.location import SourceSpan
    from hullmark.model.project import Project, Service

TEST_FILES = (
    "compose.test.yaml",
    "compose.test.yml",
    "docker-compose.test.yml",
    "docker-compose.test.yaml",
)
"""What makes the test stack of a project, by convention; read beside the project's own files."""
TEST_ENV_FILE = ".env.test"
_SECONDS = 60


def compositions(
    project: Project,
    commands: Commands,
    handed_on: Callable[[str], HandedOn | None] = lambda _: None,
) -> tuple[Composition, ...]:
    """Every service of `project`, sorted by name; `handed_on` says what is in an image of others, where it is known.

    Raises `ConfigurationError` when Compose refuses the project with its test stack.
    """
    declared = declarations(project.files, project.root)
    raw: dict[str, Any] = json.loads(project.resolved).get("services") or {}
    own_images = {service.image for service in project.built}

    def awaited(other: str, span: SourceSpan) -> Awaited:
        """The service that is waited for, and whether it has a health check."""
        waited = raw[other]
        image = waited.get("image")
        if _is_unchecked(waited):
            return Awaited(service=other, span=span, unchecked=True)
        if waited.get("healthcheck") or waited.get("build") or image is None or image in own_images:
            return Awaited(service=other, span=span)
        found = handed_on(image)
        unchecked = found is not None and not found.health_check
        return Awaited(service=other, span=span, unchecked=unchecked, image=image, known=found is not None)

    own = [
        Claim(service=name, container_name=value.get("container_name"), ports=_ports(name, value, declared))
        for name, value in raw.items()
    ]
    tests = _test_stack(project, commands)
    found = tuple(
        _composition(
            service, raw[service.name], declared, awaited, [c for c in (*own, *tests) if _other(c, service)]
        )
        for service in project.services
    )
    variables = {literal.span for each in found for literal in each.literals}
    return tuple(
        replace(
            each,
            texts=(
                *plain_texts(each.service, declared, variables),
                *(shared_texts(declared, variables) if position == 0 else ()),
            ),
        )
        for position, each in enumerate(found)
    )


def _other(claim: Claim, service: Service) -> bool:
    """Whether the claim is another one's; a service of the test stack is another one whatever it is called."""
    return claim.file is not None or claim.service != service.name


def _composition(
    service: Service,
    raw: Mapping[str, Any],
    declared: Declarations,
    awaited: Callable[[str, SourceSpan], Awaited],
    claims: list[Claim],
) -> Composition:
    name = service.name
    limits = ((raw.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    return Composition(
        service=name,
        span=service.span,
        image=None if service.build else service.image,
        image_span=declared.place("services", name, "image"),
        container_name=raw.get("container_name"),
        container_name_span=declared.place("services", name, "container_name"),
        ports=_ports(name, raw, declared),
        literals=(
            *_literals(name, raw.get("environment") or {}, declared),
            *_defaults(name, raw.get("environment") or {}, declared),
        ),
        awaited=tuple(
            awaited(other, declared.place("services", name, "depends_on", other) or service.span)
            for other, condition in service.depends_on
            if condition == "service_healthy"
        ),
        bound=tuple(
            Bound(
                source=str(each.get("source", "")),
                target=str(each["target"]),
                span=_entry(declared, name, "volumes", str(each["target"])) or service.span,
            )
            for each in raw.get("volumes") or ()
            if each.get("type") == "bind"
        ),
        privileged=(declared.place("services", name, "privileged") or service.span)
        if raw.get("privileged")
        else None,
        memory_limited=bool(raw.get("mem_limit") or limits.get("memory")),
        claims=tuple(claims),
    )


def _is_unchecked(raw: Mapping[str, Any]) -> bool:
    """Whether the Compose file switches off whatever health check the image has."""
    check = raw.get("healthcheck") or {}
    return bool(check.get("disable")) or (check.get("test") or [])[:1] == ["NONE"]


def _ports(name: str, raw: Mapping[str, Any], declared: Declarations) -> tuple[HostPort, ...]:
    """The fixed host ports; one that the engine chooses (none, or 0, is published) meets nobody."""
    found = []
    for each in raw.get("ports") or ():
        published = str(each.get("published") or "")
        first, _, last = published.partition("-")
        if not first.isdecimal() or first == "0":
            continue
        span = _entry(declared, name, "ports", first) or declared.place("services", name)
        if span is None:
            continue
        found += [
            HostPort(
                port=port, span=span, protocol=each.get("protocol", "tcp"), address=each.get("host_ip", "")
            )
            for port in range(int(first), int(last if last.isdecimal() else first) + 1)
        ]
    return tuple(found)


def _entry(declared: Declarations, service: str, key: str, text: str) -> SourceSpan | None:
    """The entry of a list of `service` that says `text`, else the list."""
    inside = f"services.{service}.{key}."
    for path, said in declared.texts.items():
        if path.startswith(inside):
            for value, span in said:
                if text in value:
                    return span
    return declared.place("services", service, key)


def _defaults(name: str, environment: Mapping[str, Any], declared: Declarations) -> Iterator[Literal]:
    """The defaults that the service gives to variables, anywhere; in a fragment, to those of its environment."""
    inside = f"services.{name}."
    fragments = tuple(f".{variable}" for variable in environment)
    seen = set()
    for path, said in declared.texts.items():
        own = path.startswith(inside)
        if not own and (path.startswith("services.") or not path.endswith(fragments)):
            continue
        for text, span in said:
            key = path.rpartition(".")[2]
            if key.isdecimal() and "=" in text:
                key = text.partition("=")[0]
            for variable, default in defaults_in(text):
                if (span, variable) not in seen:
                    seen.add((span, variable))
                    yield Literal(name=key, value=default, span=span, variable=variable)


def _literals(name: str, environment: Mapping[str, Any], declared: Declarations) -> Iterator[Literal]:
    """The variables whose value stands in a file as it is, be it in a fragment that others share."""
    inside = f"services.{name}.environment."
    listed = [
        (*text.partition("=")[::2], span)
        for path, said in declared.texts.items()
        if path.startswith(inside)
        for text, span in said
        if "=" in text
    ]
    for variable, value in environment.items():
        if not value:
            continue
        said = [(text, span) for key, text, span in listed if key == variable]
        said += declared.texts.get(inside + variable, [])
        if not said:
            said = [
                each
                for path, texts in declared.texts.items()
                if path.endswith(f".{variable}")
                for each in texts
            ]
        for text, span in said:
            # Compose doubles each dollar in its answer; a single one in the file stands for a variable.
            if text == value and "$" not in text.replace("$$", ""):
                yield Literal(name=variable, value=text, span=span)
                break


def _test_stack(project: Project, commands: Commands) -> list[Claim]:
    """What the services of the test stack take, where there is one and it is not what is being checked."""
    file = next((project.root / each for each in TEST_FILES if (project.root / each).is_file()), None)
    if file is None or file in project.files:
        return []
    declared = declarations((file,), project.root)
    files = (*project.files, file) if _is_overlay(declared) else (file,)
    settings = project.settings
    if (project.root / TEST_ENV_FILE).is_file():
        settings = replace(settings, env_file=TEST_ENV_FILE)
    completed = commands.run(
        ("docker", "compose", *arguments_of(project.root, settings, files), "config", "--format", "json"),
        cwd=project.root,
        timeout=_SECONDS,
    )
    if completed.returncode != 0:
        raise refusal(completed.stderr, (file,), project.root, declared)
    services: dict[str, Any] = json.loads(completed.stdout).get("services") or {}
    every = declarations(files, project.root)
    return [
        Claim(
            service=name,
            file=file.relative_to(project.root).as_posix(),
            container_name=value.get("container_name"),
            ports=_ports(name, value, every),
        )
        for name, value in sorted(services.items())
    ]


def _is_overlay(declared: Declarations) -> bool:
    """Whether the file only changes services of another one: some have no image and no build of their own."""
    return any(
        not any(f"services.{name}.{key}" in declared.keys for key in ("image", "build", "extends"))
        for name in declared.services
    )
