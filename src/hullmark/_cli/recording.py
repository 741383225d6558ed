"""What `hullmark check` does with the history: reads it for a page that shows it, and adds to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.errors import HullmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._cli.session import Session
    from hullmark.model.history import Checkout, Record
    from hullmark.model.project import Project
    from hullmark.model.report import Report


def with_history(
    session: Session, project: Project, report: Report, *, checkout: Checkout | None
) -> tuple[Report, HullmarkError | None]:
    """`report` with what is known of its services, and what went wrong.

    Where there is a `checkout`, what was measured of it is added. Nothing that happens here changes the verdict.
    """
    from hullmark.model.history import records_of, service_histories  # noqa: PLC0415  # loaded where it is needed

    settings = project.settings.history
    new: tuple[Record, ...] = ()
    try:
        from hullmark._history.place import place_of  # noqa: PLC0415

        place = place_of(project, session.environ)
        from hullmark._history.store import History  # noqa: PLC0415  # needs what `place_of` has looked for

        history = History(place)
        if checkout is not None:
            new = records_of(report, checkout)
            history.add(new)
        known = history.records(branch=settings.branch)
    except HullmarkError as error:
        return report, error
    # A run of another branch is shown at the end of that branch's line.
    others = {each.service: each for each in new if settings.branch not in {None, each.checkout.branch}}
    found = service_histories(
        (*(each for each in known if each.service in report.services), *others.values()), limit=settings.trend
    )
    return replace(report, history=found), None


def kept_somewhere(project: Project, environ: Mapping[str, str]) -> bool:
    """Whether there is a history already, or a place for one is configured."""
    from hullmark._history.place import place_of  # noqa: PLC0415  # as above

    try:
        place = place_of(project, environ)
    except HullmarkError:
        return False
    return place.file is None or place.file.exists()
