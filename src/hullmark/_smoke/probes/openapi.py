"""Every GET of an OpenAPI document that needs no parameter: whatever it answers, the server must not break."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hullmark._smoke.probes.answers import decoded
from hullmark._smoke.probes.attempt import PAUSE, Answer, once, retry
from hullmark._smoke.probes.http import ask
from hullmark.errors import Interrupted
from hullmark.model.duration import format_duration
from hullmark.model.stack import StepRun

if TYPE_CHECKING:
    from hullmark._smoke.probes.filling import Filling
    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import OpenApiProbe

MOST = 200
"""Paths that are asked for at most."""
_SOUND = (range(100, 500),)
_DEEPEST = 20
"""References that are followed from one to the next."""


def run_openapi(
    stack: Stack, service: str, probe: OpenApiProbe, filling: Filling
) -> tuple[Answer, tuple[StepRun, ...]]:
    """What came of the document, and of each of its paths that was asked for.

    What answers 500 or worse, or not at all, is asked again until the time is over.
    """
    deadline = time.monotonic() + probe.timeout
    document = replace(probe.document, status=(range(200, 300),), follow=True)
    answer = retry(
        stack, probe.timeout, lambda left: ask(stack, service, document, filling, left, whole=True)
    )
    if not answer.passed:
        return Answer(passed=False, seen=f"the document: {answer.seen}"), ()
    try:
        found = paths(decoded(answer.body))
    except ValueError as error:
        return Answer(passed=False, seen=f"the document: {error}: {filling.quote(answer.body)}"), ()
    wanted = [path for path in found if path not in probe.skip][:MOST]
    runs: dict[str, StepRun] = {}
    pending = wanted
    while pending:
        for path in pending:
            if time.monotonic() >= deadline:
                break
            runs[path] = _asked(stack, service, probe, filling, path, deadline)
        pending = [path for path in wanted if path not in runs or not runs[path].passed]
        if not pending or time.monotonic() + PAUSE > deadline:
            break
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted
    return _summed(probe, found, wanted, runs), tuple(runs[path] for path in wanted if path in runs)


def _asked(
    stack: Stack, service: str, probe: OpenApiProbe, filling: Filling, path: str, deadline: float
) -> StepRun:
    if stack.engine.cancelled.is_set():
        raise Interrupted
    # A path of the document is to be sent as it stands, also where it looks like a variable of ours.
    request = replace(probe.document, path=path.replace("${", "$${"), status=_SOUND, follow=False)
    started = time.monotonic()
    answer = once(lambda left: ask(stack, service, request, filling, left), max(deadline - started, PAUSE))
    assert answer is not None
    return StepRun(
        step=f"GET {path}", passed=answer.passed, seen=answer.seen, seconds=time.monotonic() - started
    )


def _summed(probe: OpenApiProbe, found: list[str], wanted: list[str], runs: dict[str, StepRun]) -> Answer:
    broken = [run for run in runs.values() if not run.passed]
    if broken:
        more = f" (and {len(broken) - 1} more of {len(runs)})" if len(broken) > 1 else ""
        return Answer(passed=False, seen=f"{broken[0].step}: {broken[0].seen}{more}")
    if len(runs) < len(wanted):
        seen = f"{len(runs)} of {len(wanted)} paths were answered within {format_duration(probe.timeout)}"
        return Answer(passed=False, seen=seen)
    if not found:
        return Answer(passed=False, seen="the document has no GET without required parameters")
    left_out = [path for path in found if path not in wanted]
    more = f", {len(left_out)} left out" if left_out else ""
    return Answer(
        passed=True, seen=f"{len(runs)} path{'' if len(runs) == 1 else 's'} answered below 500{more}"
    )


def paths(document: Any) -> list[str]:
    """The paths of an OpenAPI document that GET needs no parameter for, in its order, below where its server is.

    Raises `ValueError` for what is no OpenAPI document.
    """
    if not isinstance(document, dict) or not isinstance(document.get("paths"), dict):
        raise ValueError("it is no OpenAPI document, which has `paths`")
    base = _base(document)
    found = []
    for path, item in document["paths"].items():
        item = _resolved(document, item)  # noqa: PLW2901  # the same, in full
        operation = item.get("get") if isinstance(item, dict) else None
        if not isinstance(operation, dict) or "{" in path:
            continue
        own = {_key(each): each for each in _parameters(document, operation)}
        shared = {_key(each): each for each in _parameters(document, item)}
        if not any(each.get("required") is True for each in (shared | own).values()):
            found.append(base + path)
    return found


def _key(parameter: dict[str, Any]) -> tuple[str, str]:
    return str(parameter.get("name")), str(parameter.get("in"))


def _parameters(document: dict[str, Any], holder: dict[str, Any]) -> list[dict[str, Any]]:
    given = holder.get("parameters")
    resolved = (_resolved(document, each) for each in given) if isinstance(given, list) else ()
    return [each for each in resolved if isinstance(each, dict)]


def _resolved(document: dict[str, Any], value: Any) -> Any:
    """`value`, or what it refers to inside of the document."""
    for _ in range(_DEEPEST):
        reference = value.get("$ref") if isinstance(value, dict) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return value
        value = document
        for key in reference.removeprefix("#/").split("/"):
            inner = key.replace("~1", "/").replace("~0", "~")
            value = value.get(inner) if isinstance(value, dict) else None
    return None


def _base(document: dict[str, Any]) -> str:
    """What stands before every path: of Swagger 2 `basePath`, later the path of the first server."""
    base = document.get("basePath")
    servers = document.get("servers")
    if isinstance(servers, list) and servers and isinstance(servers[0], dict):
        base = urlsplit(str(servers[0].get("url", ""))).path
    return base.rstrip("/") if isinstance(base, str) and "{" not in base else ""
