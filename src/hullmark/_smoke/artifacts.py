"""What there is to know of a stack, as files: its configuration, logs, events and health, without its secrets."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from hullmark._smoke.owner import RUN_LABEL
from hullmark._smoke.secrecy import Secrecy
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from docker.models.containers import Container

    from hullmark._smoke.stack import Stack

_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"


def write_artifacts(stack: Stack, directory: Path) -> Path:
    """Writes the directory named after the run below `directory`, as far as the run came; where it is.

    It is there whole or not at all: `compose.json`, `events.jsonl`, `health.json`, and for each container its log and
    what the engine says of it, in `logs` and `inspect`. Raises `Unavailable` when it cannot be written, or when the
    engine does not answer.
    """
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    whole = directory / stack.name
    partial = directory / f".{stack.name}.partial"
    try:
        partial.mkdir(parents=True)
        _write(stack, partial)
        partial.rename(whole)
    except (OSError, DockerException, HTTPError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Unavailable(f"the artifacts cannot be written to {whole}: {reason}") from error
    return whole


def _write(stack: Stack, directory: Path) -> None:
    secrecy = Secrecy.of(stack.copy)
    containers = {_name(each): each for each in _containers(stack)}
    _json(directory / "compose.json", secrecy.configuration(stack.copy))
    (directory / "inspect").mkdir()
    (directory / "logs").mkdir()
    for name, container in sorted(containers.items()):
        _json(directory / "inspect" / f"{name}.json", secrecy.inspection(container.attrs))
        with (directory / "logs" / f"{name}.log").open("w", encoding="utf-8") as file:
            file.writelines(_log(container, secrecy.text))
    lines = [json.dumps(secrecy.value(record)) for record in stack.records]
    (directory / "events.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    health = {name: _health(container, stack.records) for name, container in sorted(containers.items())}
    _json(directory / "health.json", secrecy.value(health))


def _containers(stack: Stack) -> list[Container]:
    found: list[Container] = stack.engine.client.containers.list(
        all=True, filters={"label": f"{RUN_LABEL}={stack.name}"}, ignore_removed=True
    )
    return [each for each in found if each.labels.get(_SERVICE)]


def _name(container: Container) -> str:
    return f"{container.labels[_SERVICE]}-{container.labels.get(_NUMBER, '1')}"


def _log(container: Container, shown: Callable[[str], str]) -> Iterator[str]:
    """The whole log, each line with its time; line by line, as it may be larger than the memory of this machine."""
    rest = b""
    for chunk in container.logs(stream=True, follow=False, timestamps=True):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (f"{shown(line.decode('utf-8', 'replace'))}\n" for line in lines)
    if rest:
        yield f"{shown(rest.decode('utf-8', 'replace'))}\n"


def _health(container: Container, records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The health checks that the engine remembers, and every change from one status to another."""
    state = container.attrs["State"].get("Health") or {}
    changes = [
        {"time": record.get("time"), "status": record["Action"].partition(": ")[2]}
        for record in records
        if record.get("Action", "").startswith("health_status: ")
        and record.get("Actor", {}).get("ID") == container.id
    ]
    return {
        "status": state.get("Status", "no health check"),
        "failing_streak": state.get("FailingStreak", 0),
        "changes": changes,
        "last_checks": state.get("Log") or [],
    }


def _json(path: Path, value: Any) -> None:
    path.write_text(f"{json.dumps(value, indent=2, sort_keys=True)}\n", encoding="utf-8")
