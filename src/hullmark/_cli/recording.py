"""What `hullmark check` does with the history: reads it for a page that shows it, and adds to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark.errors import HullmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark._cli.session import Session
    from hullmark._process import Commands
    from hullmark.model.history import Checkout, Record
    from hullmark.model.project import Project
    from hullmark.model.report import Report


@dataclass(kw_only=True)
class Recording:
    """The history of one run; whatever goes wrong with it, the report is written first."""

    session: Session
    project: Project
    wanted: bool
    """Whether what is measured is added to it."""
    checkout: Checkout | None = None
    _failure: HullmarkError | None = None

    def begin(self, commands: Commands) -> None:
        """Looks at what is checked out, before the run: what is committed meanwhile was not measured."""
        if self.wanted:
            from hullmark._history.checkout import checkout_of  # noqa: PLC0415  # mostly not needed
            from hullmark._history.place import place_of  # noqa: PLC0415  # as above

            # What is not installed, or set wrongly, is told before time is spent.
            place_of(self.project, self.session.environ)
            self.checkout = checkout_of(self.project.root, commands, self.session.environ)

    def shown(self, report: Report, *, drawn: bool) -> Report:
        """`report` with what is known of its services where that is `drawn`, once it has been added to."""
        if not self.wanted and not drawn:
            return report
        try:
            return self._with_history(report)
        except HullmarkError as error:
            self._failure = error
            return report

    def failures(self) -> list[HullmarkError]:
        """What went wrong with what was asked for; anything else is no more than a warning."""
        if self._failure is None:
            return []
        if self.wanted:
            return [self._failure]
        self.session.warn([self._failure.message])
        return []

    def _with_history(self, report: Report) -> Report:
        from hullmark._history.place import place_of  # noqa: PLC0415  # mostly not needed
        from hullmark.model.history import records_of, service_histories  # noqa: PLC0415

        settings = self.project.settings.history
        if not self.wanted and settings.url is None and not _possible(self.session.environ):
            return report
        place = place_of(self.project, self.session.environ)
        from hullmark._history.store import History  # noqa: PLC0415  # needs what `place_of` has looked for

        history = History(place)
        new: tuple[Record, ...] = ()
        if self.checkout is not None:
            new = records_of(report, self.checkout)
            history.add(new)
        known = [each for each in history.records(branch=settings.branch) if each.service in report.services]
        # A run of another branch is shown at the end of that branch's line.
        known += [each for each in new if settings.branch not in {None, each.checkout.branch}]
        return replace(report, history=service_histories(known, limit=settings.trend))


def _possible(environ: Mapping[str, str]) -> bool:
    """Whether there can be a history that nobody has configured."""
    from importlib.util import find_spec  # noqa: PLC0415  # as above

    from hullmark._files import data_directory  # noqa: PLC0415

    return find_spec("sqlalchemy") is not None and data_directory(environ) is not None
