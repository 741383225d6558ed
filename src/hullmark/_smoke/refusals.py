"""Why Compose could not create or start a stack: which services that is the fault of, without its progress."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from docker.models.containers import Container

    from hullmark._process import Completed
    from hullmark.model.stack_copy import StackCopy

_PREFIXES = re.compile(
    r"^(?:Error response from daemon: |failed to create task for container: |failed to create shim task: "
    r"|OCI runtime create failed: |runc create failed: |unable to start container process: |error during container init: "
    r"|Error )+"
)
_NO_IMAGE = re.compile(
    r"[Nn]o such image|pull access denied|manifest unknown|/v2/|not found: manifest|repository"
)
_PULLING = re.compile(r"^ (?P<service>\S+) Error\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A container that the engine, or Compose, could not create or start."""

    service: str
    container: str
    """Its identity, or something in place of it where it does not exist."""
    exit_code: int | None
    why: str


def reason(copy: StackCopy, completed: Completed) -> str:
    """What Compose says in the end, without the progress before it and without what the engine wraps it into."""
    said = _said(completed)
    services = json.loads(copy.configuration)["services"]
    names = [name for name, value in sorted(services.items()) if _mentions(said, value["image"])]
    names += [each for each in _PULLING.findall(completed.stderr) if each in services and each not in names]
    if names and _is_about_images(completed):
        return f"the image of {', '.join(f'`{name}`' for name in names)} cannot be had: {said}"
    return _shown(said, copy)


def _said(completed: Completed) -> str:
    # Progress is indented by a space, in every version.
    told = [
        line
        for line in (completed.stderr or completed.stdout).splitlines()
        if line.strip() and line[0] != " " and "level=warning" not in line
    ]
    return _bare(told[-1]) if told else f"`docker compose up` ended with exit status {completed.returncode}"


def _is_about_images(completed: Completed) -> bool:
    return bool(_PULLING.search(completed.stderr) or _NO_IMAGE.search(_said(completed)))


def _bare(text: str) -> str:
    return _PREFIXES.sub("", text.strip()).removesuffix(": unknown")


def unstarted(services: Iterable[str], containers: Callable[[str], list[Container]]) -> tuple[Refusal, ...]:
    """The containers of `services` that the engine has tried to start and could not."""
    return tuple(
        Refusal(
            service=service,
            container=str(container.id),
            exit_code=container.attrs["State"]["ExitCode"],
            why=_bare(container.attrs["State"]["Error"]),
        )
        for service in services
        for container in containers(service)
        if container.status == "created" and container.attrs["State"].get("Error")
    )


def refusals(
    copy: StackCopy,
    services: Iterable[str],
    containers: Callable[[str], list[Container]],
    completed: Completed,
) -> tuple[Refusal, ...]:
    """The services of `copy` for which Compose failed, as far as the engine or its message tells.

    None when the project is not to blame: an image that cannot be pulled, or a disk that is full.
    """
    services = tuple(services)
    why = _said(completed)
    if _is_about_images(completed) or "no space left" in why.lower():
        return ()
    if found := unstarted(services, containers):
        return found
    waiting = [name for name in services if all(each.status == "created" for each in containers(name))]
    configuration: dict[str, Any] = json.loads(copy.configuration)
    named = [name for name in waiting if _concerns(why, name, configuration)]
    return tuple(
        Refusal(service=name, container=f"{copy.name}-{name}", exit_code=None, why=_shown(why, copy))
        for name in named or (waiting if len(waiting) == 1 else ())
    )


def _shown(why: str, copy: StackCopy) -> str:
    """`why` with names as the project has them."""
    return why.replace(f"{copy.name}_", "")


def _concerns(why: str, service: str, configuration: dict[str, Any]) -> bool:
    """Whether the message `why` names something that `service` uses: a path, a volume, a network or a secret."""
    value = configuration["services"][service]
    words = [str(mount.get("source")) for mount in value.get("volumes") or ()]
    words += value.get("networks") or ()
    words += [str(each.get("source")) for each in value.get("devices") or ()]
    for kind in ("secrets", "configs"):
        for each in value.get(kind) or ():
            declared = (configuration.get(kind) or {}).get(each["source"]) or {}
            words += [each["source"], str(declared.get("file")), str(declared.get("name"))]
    for kind in ("networks", "volumes"):
        used = set(words)
        words += [
            str((item or {}).get("name"))
            for key, item in (configuration.get(kind) or {}).items()
            if key in used
        ]
    return any(_mentions(why, word) for word in words if word not in {"None", "default"})


def _mentions(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w./-]){re.escape(word)}(?![\w/-]|\.\w)", text) is not None
