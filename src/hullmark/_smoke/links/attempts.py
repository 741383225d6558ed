"""One link: tried again and again until it holds or its time is over, from as near to the caller as can be."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._smoke.links.answers import judge
from hullmark._smoke.links.clients import commands
from hullmark._smoke.links.neighbours import from_a_companion, from_this_process
from hullmark._smoke.probes import ATTEMPT, PAUSE, run_inside
from hullmark.errors import Interrupted, Unavailable
from hullmark.model.stack import LinkRun, Unlinkable

if TYPE_CHECKING:
    from hullmark._smoke.stack import Stack
    from hullmark.model.project import Link


def run_link(stack: Stack, link: Link) -> LinkRun | Unlinkable:
    """Tries `link` until it holds or its time is over.

    With the first client that the calling container has; if it has none, from its network: by this process, where
    that may enter it, or by a container of another image of the stack.
    """
    started = time.monotonic()
    deadline = started + link.timeout
    ways = [_from_the_caller, from_this_process, from_a_companion]
    while True:
        try:
            attempt = None
            while ways and attempt is None:
                attempt = ways[0](stack, link)
                if attempt is None:
                    # What was not there once is not going to be.
                    ways.pop(0)
        except Unavailable as error:
            attempt = LinkRun(link=link, passed=False, seen=error.message)
        if attempt is None:
            return Unlinkable(link=link, reason=_why_not(link))
        if attempt.passed or time.monotonic() + PAUSE > deadline:
            return replace(attempt, seconds=time.monotonic() - started)
        if stack.engine.cancelled.wait(PAUSE):
            raise Interrupted


def _from_the_caller(stack: Stack, link: Link) -> LinkRun | None:
    """`link` tried inside the calling container; `None` when it has none of the programs."""
    for name, command in commands(link):
        code, output = run_inside(stack, link.from_service, command, ATTEMPT + 2)
        run = judge(link, name, code, output)
        if run is not None:
            return run
    return None


def _why_not(link: Link) -> str:
    kind = ""
    if link.to.startswith("https:"):
        kind = " that verifies certificates" if link.tls == "verify" else " that speaks TLS"
    tried = ", ".join(name for name, _ in commands(link))
    return (
        f"neither the image of `{link.from_service}` nor one that runs beside it holds a program to connect "
        f"with{kind} ({tried}), and its network can be entered only by root on the machine of the engine"
    )
