"""Work on several services at once; what goes wrong with one of them is that one's outcome."""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from hullmark.errors import ConfigurationError, HullmarkError, Interrupted, UsageError
from hullmark.model.outcome import Broken, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from hullmark._checks.run import Run, Surroundings
    from hullmark.model.outcome import Check, Outcome
    from hullmark.model.project import Service

AT_ONCE = 4
"""Services that are worked on at the same time in one step."""
ALL_ASLEEP = "every service of the project belongs to a profile; `--profile NAME` enables one"
"""Why there is nothing to do in a project of which nothing would be started."""
_TICK = 0.1


def for_each(
    run: Run,
    check: Check,
    work: Callable[[Run, Service], Outcome],
    *,
    at_once: int = AT_ONCE,
    services: tuple[Service, ...] | None = None,
) -> None:
    """Does `work` for every service, several at a time; what it raises becomes that service's outcome."""
    services = run.services if services is None else services
    if not services:
        reason = "the project builds no images" if run.project.services else ALL_ASLEEP
        run.add(check, None, Skipped(reason=reason, moot=True), time.monotonic())
        return

    def one(service: Service) -> None:
        started = time.monotonic()
        run.add(check, service.name, guarded(lambda: work(run, service)), started)

    with ThreadPoolExecutor(max_workers=at_once) as pool:
        finish([pool.submit(one, service) for service in services], run.surroundings)


def finish(futures: list[Future[None]], surroundings: Surroundings) -> None:
    """Waits for all of `futures`; when one fails the others are asked to stop, and the first failure is raised."""
    pending = set(futures)
    failure: BaseException | None = None
    while pending:
        done, pending = wait(pending, timeout=_TICK, return_when=FIRST_COMPLETED)
        for future in done:
            error = future.exception()
            # The reason why the others are interrupted is worth more than that they were.
            if error is not None and (failure is None or isinstance(failure, Interrupted)):
                failure = error
                surroundings.cancelled.set()
    if failure is not None:
        raise failure
    if surroundings.cancelled.is_set():
        raise Interrupted


def guarded(work: Callable[[], Outcome]) -> Outcome:
    """The outcome of `work`, or that it broke and why."""
    try:
        return work()
    except (ConfigurationError, UsageError, Interrupted):
        raise
    except HullmarkError as error:
        return Broken(error=explained(error))


def explained(error: HullmarkError) -> str:
    """Why something could not be checked, and on a line of its own what to do about it."""
    return f"{error.message}\nhelp: {error.hint}" if error.hint else error.message
