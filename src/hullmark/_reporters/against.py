"""A run beside its baseline in few words, which several formats share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark.model.baseline import Standing
from hullmark.model.size import format_change
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from hullmark.model.baseline import Comparison
    from hullmark.model.difference import Difference, SettingChange
    from hullmark.model.report import Report

WORDS = {
    Standing.INTRODUCED: "introduced",
    Standing.DISCLOSED: "newly disclosed",
    Standing.KNOWN: "known",
}
"""How something stands to the baseline, for people."""
_MOST = 12
"""Settings that are told of one image."""


def missing(comparison: Comparison) -> str:
    """That nothing could be compared, where there is no baseline yet; empty otherwise."""
    if not comparison.first:
        return ""
    gate = " and nothing that was found decides" if comparison.new_only else ""
    return f"no baseline at {comparison.name}: nothing could be told new{gate}; this run sets it"


def tally(report: Report, comparison: Comparison) -> str:
    """How many findings stand how to the baseline."""
    return _counted(report.standings, len(comparison.fixed), "fixed") or "no findings, then or now"


def vulnerability_tally(report: Report, comparison: Comparison) -> str:
    """How many vulnerabilities stand how to the baseline; empty where there are none and have been none."""
    return _counted(report.vulnerability_standings, len(comparison.gone), "gone")


def _counted(standings: Counter[Standing | None], less: int, word: str) -> str:
    counts = [(standings[standing], name) for standing, name in WORDS.items()]
    counts += [(standings[None], "not compared"), (less, word)]
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def fixed(comparison: Comparison) -> str:
    """The rules of what is found no more, each with its services."""
    return ", ".join(
        dict.fromkeys(
            f"{each.rule} ({each.service})" if each.service else each.rule for each in comparison.fixed
        )
    )


def gone(comparison: Comparison) -> Iterator[tuple[str, str]]:
    """By service, the vulnerabilities that are found no more."""
    services: dict[str, list[str]] = {}
    for each in comparison.gone:
        services.setdefault(each.service, []).append(f"{each.id} ({each.package} {each.installed})")
    for service, names in services.items():
        yield service, ", ".join(dict.fromkeys(names))


def grown(change: Difference) -> str:
    """By how much an image grew or shrank; empty where it did not."""
    delta = change.total("unpacked").delta
    return format_change(delta) if delta else ""


def settings(change: Difference) -> str:
    """What of the configuration changed; empty where nothing did."""
    told = [_setting(each) for each in change.settings or ()]
    more = [f"{len(told) - _MOST} more"] if len(told) > _MOST else []
    return "; ".join((*told[:_MOST], *more))


def _setting(change: SettingChange) -> str:
    if change.before is None:
        return f"{change.name} set to `{_short(change.after)}`"
    if change.after is None:
        return f"{change.name} not set any more, was `{_short(change.before)}`"
    return f"{change.name} from `{_short(change.before)}` to `{_short(change.after)}`"


def _short(text: str | None) -> str:
    return shortened(text or "", 60)
