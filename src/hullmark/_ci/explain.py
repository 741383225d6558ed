"""What of an image's inputs differs from those that it was built from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._ci.digest import Digests, compared
from hullmark._ci.records import Records, read_report
from hullmark.errors import ConfigurationError
from hullmark.model.affected import Explanation
from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hullmark._ci.objects import Objects
    from hullmark._ci.plan import Plan
    from hullmark._ci.records import Recorded
    from hullmark.model.affected import InputDifference, InputDigest


def explanations(
    plan: Plan,
    objects: Objects,
    environ: Mapping[str, str],
    against: Path | None,
) -> tuple[Explanation, ...]:
    """The digest of every service that is built, and what of its inputs differs from what was recorded.

    What was recorded is in the report `against`, or was kept when hullmark built the image. Raises
    `ConfigurationError` for a file that is no report, and `Unavailable` for inputs that cannot be read.
    """
    digests = Digests(
        root=plan.root,
        services=frozenset(plan.services),
        inputs=plan.inputs.get,
        declared=plan.declared.__getitem__,
        objects=objects,
    )
    records = Records.at(environ)
    given = None if against is None else _read(against)
    found = []
    for name in plan.built:
        today = digests.of(name)
        recorded = records.latest(plan, name) if given is None else given.get(name)
        found.append(_explained(today, recorded))
    return tuple(found)


def _read(path: Path) -> Mapping[str, Recorded]:
    try:
        return read_report(path.read_bytes(), str(path))
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from error


def _explained(today: InputDigest, recorded: Recorded | None) -> Explanation:
    if recorded is None:
        return Explanation(today=today)
    differs: tuple[InputDifference, ...] = ()
    if today.digest not in {None, recorded.digest} and recorded.entries is not None:
        now = {readable(name): readable(value) for name, value in today.entries}
        differs = compared(recorded.entries, now)
    return Explanation(today=today, recorded=recorded.digest, differs=differs)
