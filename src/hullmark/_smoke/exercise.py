"""Probes and links, tried on a stack that came up: first those that say whether it really did, then all others."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hullmark._compose import unscaled
from hullmark._smoke.links import derived_links, run_link
from hullmark._smoke.probes import run_probe
from hullmark.errors import Interrupted
from hullmark.model.outcome import Check
from hullmark.model.stack import ProbeRun, Unlinkable, UntriedProbe

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Future
    from typing import Self

    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import Probe
    from hullmark.model.progress import Progress
    from hullmark.model.project import Link, Project
    from hullmark.model.stack import LinkRun

_TICK = 0.1
_NO_CONTAINER = "the project wants no container of it (`scale` or `deploy.replicas` is 0)"


@dataclass(kw_only=True)
class Exercise:
    """What came of probes and links."""

    probes: list[ProbeRun | UntriedProbe] = field(default_factory=list)
    links: list[LinkRun | Unlinkable] = field(default_factory=list)


def untried(project: Project, reason: str) -> Exercise:
    """Every probe and link, as not tried for `reason`."""
    return Exercise(
        probes=[_unprobed(name, probe, reason) for name, probe in _probes(project)],
        links=[Unlinkable(link=link, reason=reason) for link in project.settings.links],
    )


def exercise(stack: Stack, project: Project, progress: Progress) -> Exercise:
    """Tries every probe and link of `project`, derived ones as well; those of services without containers are not tried.

    The probes of services that have no health check come first, as they say whether these are up: `stack.timeline` is
    told. Ends early when a service fails meanwhile, which the time line then knows. Raises `Interrupted`.
    """
    none = unscaled(project)
    found = Exercise(
        probes=[_unprobed(name, probe, _NO_CONTAINER) for name, probe in _probes(project) if name in none],
        links=[
            Unlinkable(link=link, reason=_NO_CONTAINER)
            for link in project.settings.links
            if link.from_service in none
        ],
    )
    wanted = [(name, probe) for name, probe in _probes(project) if name not in none]
    links = [link for link in project.settings.links if link.from_service not in none]
    links += derived_links(project, stack.engine)
    if not wanted and not links:
        return found
    progress.begin(Check.SMOKE, None, f"trying probes ({len(wanted)}) and links ({len(links)})")
    telling = {run.service for run in stack.timeline.judged() if run.unanswered}
    with _Attempts(stack) as attempts:
        found.probes += attempts.probe([(n, _patient(stack, n, p)) for n, p in wanted if n in telling])
        for name in telling:
            runs = [run for run in found.probes if run.service == name]
            if all(isinstance(run, ProbeRun) and run.passed for run in runs):
                stack.timeline.answer(name, max(attempts.ended[name, run.probe] for run in runs))
        probes, linked = attempts.probe_and_link([(n, p) for n, p in wanted if n not in telling], links)
    found.probes[:0] = probes
    found.links[:0] = linked
    return found


class _Attempts:
    """Attempts that are made side by side, and that end with the user's patience or the first service that fails."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._over = threading.Event()
        # What is tried looks at the event of its engine several times a second.
        self._asked = replace(stack, engine=replace(stack.engine, cancelled=self._over))
        self._pool = ThreadPoolExecutor(max_workers=8)
        self.ended: dict[tuple[str, Probe], float] = {}
        """When each probe of each service had its result."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # An attempt that waits for an answer ends with the stack, which nobody need wait for to remove.
        self._over.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def probe(self, wanted: Iterable[tuple[str, Probe]]) -> list[ProbeRun | UntriedProbe]:
        return self.probe_and_link(wanted, ())[0]

    def probe_and_link(
        self, wanted: Iterable[tuple[str, Probe]], links: Iterable[Link]
    ) -> tuple[list[ProbeRun | UntriedProbe], list[LinkRun | Unlinkable]]:
        probing = [(name, probe, self._pool.submit(self._probe, name, probe)) for name, probe in wanted]
        linking = [(link, self._pool.submit(run_link, self._asked, link)) for link in links]
        self._wait({*(future for *_, future in probing), *(future for _, future in linking)})
        reason = self._reason()
        probes = [
            future.result() if _ended(future) else _unprobed(name, probe, reason)
            for name, probe, future in probing
        ]
        linked = [
            future.result() if _ended(future) else Unlinkable(link=link, reason=reason)
            for link, future in linking
        ]
        return probes, linked

    def _probe(self, name: str, probe: Probe) -> ProbeRun:
        run = run_probe(self._asked, name, probe)
        self.ended[name, probe] = self._stack.now
        return run

    def _wait(self, pending: set[Future[Any]]) -> None:
        while pending and not self._stack.timeline.has_failed():
            pending = wait(pending, timeout=_TICK).not_done
            if self._stack.engine.cancelled.is_set():
                raise Interrupted
            self._stack.catch_up()

    def _reason(self) -> str:
        failed = [
            f"`{run.service}` {run.fate}" for run in self._stack.timeline.services() if run.state.failed
        ]
        return f"meanwhile {', '.join(failed)}"


def _ended(future: Future[Any]) -> bool:
    """Whether an attempt came to its end; otherwise it is given up."""
    return future.done() and not future.cancelled()


def _patient(stack: Stack, service: str, probe: Probe) -> Probe:
    """`probe` with all the time that its service has to come up, where the configuration says how much that is."""
    limit = stack.project.settings.service(service).timeout
    if limit is None:
        return probe
    started = stack.timeline.life(service).started or 0.0
    return replace(probe, timeout=max(probe.timeout, limit.seconds - (stack.now - started)))


def _unprobed(service: str, probe: Probe, reason: str) -> UntriedProbe:
    return UntriedProbe(service=service, probe=probe, reason=reason)


def _probes(project: Project) -> list[tuple[str, Probe]]:
    return [(name, probe) for name, service in project.settings.services for probe in service.probes]
