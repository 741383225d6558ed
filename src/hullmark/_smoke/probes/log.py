"""What the log of a service holds, and what it must not hold."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from hullmark._smoke.probes.attempt import Answer
from hullmark._smoke.probes.filling import Filling
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.stack import LogRun

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._smoke.stack import Stack
    from hullmark.model.probe import LogProbe, LogRule
    from hullmark.model.project import Project

QUOTED = 5
"""Lines of a log that are quoted."""
LONGEST_LINE = 1 << 20
"""Bytes after which a line that does not end is taken for one."""


def find(stack: Stack, service: str, probe: LogProbe, filling: Filling) -> Answer:
    """Whether the log holds a line with the pattern: good where it must, bad, and for good, where it must not."""
    pattern = re.compile(probe.pattern)
    count = 0
    for line in lines(stack, service):
        count += 1
        if pattern.search(line):
            seen = f"line {count} of the log is: {filling.quote(line)}"
            return Answer(passed=not probe.absent, seen=seen, final=True)
    seen = f"{count} line{'' if count == 1 else 's'} in the log, none with the pattern"
    return Answer(passed=probe.absent, seen=seen)


def watch(stack: Stack, service: str, probe: LogProbe, filling: Filling, left: float) -> Answer:
    """The same for a pattern that must not appear, asked again and again until `left` seconds are over."""
    import time  # noqa: PLC0415

    deadline = time.monotonic() + left
    while True:
        answer = find(stack, service, probe, filling)
        wait = deadline - time.monotonic()
        if not answer.passed or wait <= 0:
            return answer
        if stack.engine.cancelled.wait(min(wait, 1.0)):
            raise Interrupted


def lines(stack: Stack, service: str) -> Iterator[str]:
    """What the containers of `service` have written since they were created, one container after the other.

    Raises `Unavailable` where the log cannot be read.
    """
    from docker.errors import APIError  # noqa: PLC0415  # loaded with the engine

    found = stack.containers(service)
    if not found:
        raise Unavailable(f"service `{service}` has no container")
    for container in found:
        try:
            # Unless told otherwise, the client goes on listening for what is still to be written.
            chunks: Iterator[bytes] = container.logs(stream=True, follow=False)
            try:
                for line in split(chunks):
                    if stack.engine.cancelled.is_set():
                        raise Interrupted
                    yield line
            finally:
                # A connection is given back only after the last byte, also where nobody wants the rest.
                deque(chunks, maxlen=0)
        except APIError as error:
            raise Unavailable(
                f"the log of service `{service}` cannot be read: {error.explanation or error}"
            ) from error


def split(chunks: Iterator[bytes]) -> Iterator[str]:
    """The lines in `chunks`, which end anywhere, without their ends."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode("utf-8", "replace").rstrip("\r") for line in whole)
        if len(rest) > LONGEST_LINE:
            yield rest.decode("utf-8", "replace")
            rest = b""
    if rest:
        yield rest.decode("utf-8", "replace").rstrip("\r")


def forbidden(stack: Stack, project: Project) -> tuple[LogRun, ...]:
    """What every log that must not hold something was found to hold, as far as there are containers."""
    filling = Filling.of(project.settings.variables)
    found: list[LogRun] = []
    for service in (run.service for run in stack.timeline.services()):
        own = project.settings.service(service).logs
        rules = (*own, *project.settings.forbidden_logs)
        if rules and stack.containers(service):
            found += _searched(stack, service, rules, filling)
    return tuple(found)


def _searched(stack: Stack, service: str, rules: tuple[LogRule, ...], filling: Filling) -> Iterator[LogRun]:
    patterns = [re.compile(rule.pattern) for rule in rules]
    counts = [0] * len(rules)
    quoted: list[list[str]] = [[] for _ in rules]
    error = ""
    try:
        for line in lines(stack, service):
            for index, pattern in enumerate(patterns):
                if pattern.search(line):
                    counts[index] += 1
                    if counts[index] <= QUOTED:
                        quoted[index].append(filling.quote(line))
    except Unavailable as failure:
        error = failure.message
    for rule, count, shown in zip(rules, counts, quoted, strict=True):
        yield LogRun(service=service, rule=rule, count=count, lines=tuple(shown), error=error)
