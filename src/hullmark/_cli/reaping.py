"""`hullmark smoke --reap`: what runs have left behind, removed."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from hullmark._engines.docker import reach
from hullmark._smoke import clear, remains
from hullmark.errors import Unavailable, UsageError, nearest

if TYPE_CHECKING:
    from hullmark._cli.session import Session
    from hullmark._smoke import Remains


def reap_runs(session: Session, name: str | None) -> int:
    """Removes what the run called `name` left, or all of which the process is gone and that nobody kept; the exit code.

    Raises `UsageError` when there is nothing of `name`, and `Unavailable` without an engine, or when its process is not
    known to be gone.
    """
    engine = reach(session.environ, session.cancelled)
    with closing(engine.client):
        if name is not None:
            _check(name, remains(engine))
        found = clear(engine, name)
    session.write(f"removed {run}\n" for run in found.removed)
    session.write(f"kept {each.run}: {_why(each)}\n" for each in found.others if name is None)
    for run, left in found.failed:
        session.tell(
            f"{session.paint('error:', fg='red', bold=True)} not all of {run} could be removed: {left}"
        )
    if not found.removed and not found.failed:
        session.write(["nothing to remove\n"])
    return Unavailable.exit_code if found.failed else 0


def _check(name: str, runs: tuple[Remains, ...]) -> None:
    known = {each.run: each for each in runs}
    if name not in known:
        meant = nearest(name, known)
        question = f"; did you mean `{meant}`?" if meant else ""
        raise UsageError(
            f"there is nothing of a run called `{name}`{question}",
            hint=f"runs of which there is something: {', '.join(known) or 'none'}; a run that is kept says its name when "
            "it ends, and `docker compose ls --all` shows those with containers",
        )
    if not known[name].gone:
        raise Unavailable(f"{name} is not removed: {_why(known[name])}")


def _why(each: Remains) -> str:
    """Why a run is left alone."""
    if each.gone:
        return f"`--keep` asked for it; `hullmark smoke --reap {each.run}` removes it"
    if each.owner is None:
        return "it is not known whose it is"
    return f"process {each.owner.pid} on {each.owner.host} is, for all that can be told, still running"
