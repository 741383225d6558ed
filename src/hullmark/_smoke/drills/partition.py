"""Partition: a link is cut, the caller tells (or goes on, where that is declared), and recovers afterwards."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._smoke.probes import PAUSE, run_probe
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.drill import Drill, Exempt, Failed, Passed, Undrilled
from hullmark.model.duration import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

    from hullmark._smoke.drills.ground import Ground
    from hullmark.model.drill import DrillResult, DrillRun
    from hullmark.model.project import Link

NOTICE = 30.0
"""Seconds within which a caller must tell that it is cut off; health checks are tried every 30 s unless told otherwise."""
GOES_ON = 5.0
"""Seconds for which a caller that is said to go on is watched."""
_ATTEMPT = 4.0
"""Seconds that a probe gets at most while the link is cut."""


def drill(ground: Ground) -> Iterator[DrillRun]:
    """Every link between two services, cut for a while."""
    pairs: dict[tuple[str, str], Link] = {}
    for link in ground.links:
        callee = ground.callee(link)
        if callee is not None and callee != link.from_service:
            known = pairs.get((link.from_service, callee), link)
            pairs[link.from_service, callee] = replace(known, degrades=known.degrades or link.degrades)
    for (caller, callee), link in sorted(pairs.items()):
        yield ground.attempt(
            Drill.PARTITION,
            caller,
            lambda link=link, callee=callee: _partition(ground, link, callee),  # type: ignore[misc]  # a default is no parameter
            subject=f"-> {callee}",
            span=link.origin,
        )


def _partition(ground: Ground, link: Link, callee: str) -> DrillResult:
    caller = link.from_service
    if ground.vitals.is_done(caller) or ground.vitals.is_done(callee):
        return Exempt(reason="one of the two has done its work and ended")
    if ground.vitals.health_check(caller) is None and not ground.probes(caller):
        return Exempt(reason=f"nothing tells how `{caller}` is: it has neither health check nor probes")
    cut = _Cut(ground, caller, callee)
    if not cut.networks:
        return Exempt(reason=f"`{caller}` and `{callee}` share no network that could be cut")
    began = time.monotonic()
    with cut:
        if left := cut.left:
            return Undrilled(error=f"`{caller}` and `{callee}` still share {', '.join(sorted(left))}")
        seen = _goes_on(ground, caller) if link.degrades else _tells(ground, caller)
    seconds = time.monotonic() - began
    if link.degrades and seen:
        return Failed(
            seen=f"cut off from `{callee}`, `{caller}` does not go on as declared: {seen}",
            remedy=f"let `{caller}` answer without `{callee}`, or remove `degrades` from this link",
            key=f"{caller} -> {callee} does not go on",
        )
    if not link.degrades and not seen:
        return Failed(
            seen=f"cut off from `{callee}`, `{caller}` says for {format_duration(seconds)} that it is well",
            remedy=f"let the health check or a probe of `{caller}` show it, or set `degrades = true` for this link if it "
            "can do without",
            key=f"{caller} -> {callee} is not told",
        )
    if reason := _recovered(ground, caller, callee):
        return Failed(
            seen=f"after the link to `{callee}` was back: {reason}",
            remedy=f"let `{caller}` connect again by itself",
            key=f"{caller} -> {callee} does not recover",
        )
    how = f"it told: {seen}" if seen else f"it went on for {format_duration(seconds)}"
    return Passed(seen=f"{how}; and recovered")


def _recovered(ground: Ground, caller: str, callee: str) -> str:
    """Why the two are not as before; empty when they are."""
    pair = (caller, callee)
    return ground.unwell(pair) or ground.examined(pair) or ground.unanswered((caller,))


class _Cut:
    """The containers of one service, taken out of the networks that another has as well."""

    def __init__(self, ground: Ground, caller: str, callee: str) -> None:
        self._ground = ground
        self._pair = (caller, callee)
        self._containers = ground.stack.containers(callee)
        joined = [_joined(each) for each in ground.stack.containers(caller)]
        self.networks = {name for each in joined for name in each} & {
            name for each in self._containers for name in _joined(each)
        }
        self._taken: list[tuple[Container, str]] = []

    @property
    def left(self) -> set[str]:
        """The networks that the two share now."""
        one, other = (
            {name for each in self._ground.stack.containers(service) for name in _joined(each)}
            for service in self._pair
        )
        return one & other

    def __enter__(self) -> None:
        try:
            for container in self._containers:
                for name in sorted(self.networks & set(_joined(container))):
                    self._ground.engine.client.networks.get(name).disconnect(container)
                    self._taken.append((container, name))
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        if self._ground.engine.cancelled.is_set():
            return  # nobody needs it any more
        for container, name in self._taken:
            known = _joined(container)[name].get("Aliases") or ()
            self._ground.engine.client.networks.get(name).connect(
                container, aliases=[each for each in known if each != container.short_id]
            )


def _joined(container: Container) -> dict[str, dict[str, list[str]]]:
    """The networks of `container` by name, as they were when it was looked at."""
    found: dict[str, dict[str, list[str]]] = container.attrs["NetworkSettings"].get("Networks") or {}
    return {name: settings for name, settings in found.items() if name not in {"host", "none"}}


def _tells(ground: Ground, caller: str) -> str:
    """How `caller` shows that something is wrong; empty when it shows nothing for as long as it may take."""
    deadline = time.monotonic() + min(NOTICE, ground.within(caller))
    while time.monotonic() < deadline:
        if seen := _unhealthy(ground, caller) or _silent(ground, caller):
            return seen
        if ground.engine.cancelled.wait(PAUSE):
            raise Interrupted
    return ""


def _goes_on(ground: Ground, caller: str) -> str:
    """Why `caller` does not go on; empty when it does."""
    deadline = time.monotonic() + GOES_ON
    while True:
        if seen := _unhealthy(ground, caller):
            return seen
        if time.monotonic() > deadline:
            break
        if ground.engine.cancelled.wait(PAUSE):
            raise Interrupted
    for probe in ground.probes(caller):
        run = run_probe(ground.stack, caller, probe)
        if not run.passed:
            return f"the probe {probe} fails: {run.seen}"
    return ""


def _unhealthy(ground: Ground, caller: str) -> str:
    """How the health check of `caller` tells; empty when it passes, as the engine counts, or there is none."""
    sign = ground.vitals.of(caller)
    if sign.reason:
        return sign.reason
    wrong = ""
    with contextlib.suppress(Unavailable):  # it has just ended, and the next look says so
        check = ground.vitals.health_check(caller)
        for _ in range(check.retries if check is not None else 0):
            assert check is not None
            wrong = ground.vitals.examine(caller, check)
            if not wrong:
                break
    return wrong


def _silent(ground: Ground, caller: str) -> str:
    """The probe of `caller` that fails; empty when all pass."""
    for probe in ground.probes(caller):
        run = run_probe(ground.stack, caller, replace(probe, timeout=min(probe.timeout, _ATTEMPT)))
        if not run.passed:
            return f"the probe {probe} fails: {run.seen}"
    return ""
