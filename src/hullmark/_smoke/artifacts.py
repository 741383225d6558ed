"""What there is to know of a stack, as files: its configuration, logs, events and health, without its secrets."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hullmark._smoke.ends import Ends
from hullmark._smoke.owner import RUN_LABEL
from hullmark._smoke.probes import split
from hullmark._smoke.secrecy import Secrecy
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from docker.models.containers import Container

    from hullmark._smoke.stack import Stack

MOST_LOG = 32_000_000
"""Bytes that are kept of the log of one container."""
_SERVICE = "com.docker.compose.service"
_NUMBER = "com.docker.compose.container-number"


@dataclass(kw_only=True)
class Artifacts:
    """The directory named after the run of `stack` below `directory`, which is there whole or not at all.

    It holds `compose.json`, `events.jsonl`, `health.json`, and for each container its log and what the engine says of
    it, in `logs` and `inspect`; also for those that others took the place of meanwhile.
    """

    stack: Stack
    directory: Path
    name: str = ""
    """That of the directory, if it is not that of the run."""
    _replaced: dict[str, int] = field(default_factory=dict)
    """How many containers of each name others took the place of."""
    _trouble: str = ""
    """Why one of these could not be kept."""

    @property
    def whole(self) -> Path:
        """Where it is when it is written."""
        return self.directory / (self.name or self.stack.name)

    @property
    def _partial(self) -> Path:
        return self.whole.with_name(f".{self.whole.name}.partial")

    def keep(self, service: str) -> None:
        """Keeps what is known of the containers of `service`, which are going to be replaced.

        What that fails for, `write` says.
        """
        secrecy = Secrecy.of(self.stack.copy)

        def keep() -> None:
            for container in self.stack.containers(service):
                name = _name(container)
                self._replaced[name] = self._replaced.get(name, 0) + 1
                self._add(container, f"{name}.replaced-{self._replaced[name]}", secrecy)

        self._trouble = self._trouble or _trouble(keep)

    def write(self) -> Path:
        """Writes it, as far as the run came; where it is.

        Raises `Unavailable` when it cannot be written, or when the engine does not answer.
        """
        if trouble := self._trouble or _trouble(self._write):
            shutil.rmtree(self._partial, ignore_errors=True)
            raise Unavailable(f"the artifacts cannot be written to {self.whole}: {trouble}")
        return self.whole

    def _write(self) -> None:
        stack, directory = self.stack, self._partial
        secrecy = Secrecy.of(stack.copy)
        containers = {_name(each): each for each in _containers(stack)}
        directory.mkdir(parents=True, exist_ok=True)
        for part in ("inspect", "logs"):
            (directory / part).mkdir(exist_ok=True)
        _json(directory / "compose.json", secrecy.configuration(stack.copy))
        for name, container in sorted(containers.items()):
            self._add(container, name, secrecy)
        stack.remember()
        lines = [json.dumps(secrecy.value(record)) for record in stack.records]
        (directory / "events.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        health = {name: _health(container, stack.records) for name, container in sorted(containers.items())}
        _json(directory / "health.json", secrecy.value(health))
        directory.rename(self.whole)

    def _add(self, container: Container, name: str, secrecy: Secrecy) -> None:
        """Writes what `container` has written into its log, and what the engine says of it."""
        for part in ("inspect", "logs"):
            (self._partial / part).mkdir(parents=True, exist_ok=True)
        _json(self._partial / "inspect" / f"{name}.json", secrecy.inspection(container.attrs))
        with (self._partial / "logs" / f"{name}.log").open("w", encoding="utf-8") as file:
            file.writelines(f"{secrecy.text(line)}\n" for line in _log(container))


def _trouble(work: Callable[[], None]) -> str:
    """Why `work` fails, if it does: of a disk or an engine that does not play along."""
    from docker.errors import DockerException  # noqa: PLC0415  # loaded with the engine
    from requests import RequestException  # noqa: PLC0415
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        work()
    except (OSError, DockerException, HTTPError, RequestException) as error:
        return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ""


def _containers(stack: Stack) -> list[Container]:
    found: list[Container] = stack.engine.client.containers.list(
        all=True, filters={"label": f"{RUN_LABEL}={stack.name}"}, ignore_removed=True
    )
    return [each for each in found if each.labels.get(_SERVICE)]


def _name(container: Container) -> str:
    return f"{container.labels[_SERVICE]}-{container.labels.get(_NUMBER, '1')}"


def _log(container: Container, most: int = MOST_LOG) -> Iterator[str]:
    """The log, each line with its time: of one that is larger than `most` bytes the beginning and the end."""
    ends = Ends(most=most)
    for line in split(container.logs(stream=True, follow=False, timestamps=True)):
        ends.add(f"{line}\n".encode())
    if text := ends.text.removesuffix("\n"):
        yield from text.split("\n")


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
