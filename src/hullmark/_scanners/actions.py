"""What to do about the vulnerabilities of an image: one change for each group, and how many it takes away."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hullmark.model.location import SourceSpan
    from hullmark.model.vulnerability import Vulnerability

    Declared = Callable[[str, str], SourceSpan | None]
    """Where the project declares a package of an ecosystem, by the two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One change, and what it is good for."""

    text: str
    fixes: tuple[str, ...]
    """The vulnerabilities that it takes away, by ID."""

    def __str__(self) -> str:
        return f"{self.text}: fixes {len(self.fixes)}"


def with_actions(
    found: Iterable[Vulnerability], declared: Declared
) -> tuple[tuple[Vulnerability, ...], tuple[Action, ...]]:
    """All of `found`, those with a fix with the change that takes them away; and the changes, the best first."""
    found = tuple(found)
    groups: defaultdict[tuple[str, ...], list[Vulnerability]] = defaultdict(list)
    for each in found:
        if each.fixed is not None:
            groups[_group(each)].append(each)
    remedies: dict[Vulnerability, str] = {}
    actions = []
    for group, members in groups.items():
        text = _text(group, members, declared)
        actions.append(Action(text=text, fixes=tuple(sorted({each.id for each in members}))))
        remedies.update(dict.fromkeys(members, text))
    told = tuple(replace(each, remedy=remedies.get(each, "")) for each in found)
    return told, tuple(sorted(actions, key=lambda each: (-len(each.fixes), each.text)))


def _group(found: Vulnerability) -> tuple[str, ...]:
    if found.base:
        return "base", found.base
    if _system(found):
        return "system", str(found.origin) if found.origin else ""
    if _is_compiler(found):
        # Each program is built anew by itself.
        return "language", found.ecosystem, found.package, found.path
    return "language", found.ecosystem, found.package


def _is_compiler(found: Vulnerability) -> bool:
    """Whether it is in the library of the compiler of Go, which is part of each program and raised nowhere."""
    return found.ecosystem == "Go" and found.package == "stdlib"


def _system(found: Vulnerability) -> bool:
    if found.holders:
        return found.holders[0].owner.kind.distribution
    return not found.path


def _text(group: tuple[str, ...], members: Sequence[Vulnerability], declared: Declared) -> str:
    if group[0] == "base":
        return f"rebuild on a newer {group[1]}"
    if group[0] == "system":
        names = ", ".join(sorted({each.package for each in members})[:3])
        more = len({each.package for each in members}) - 3
        what = f"{names} and {more} more" if more > 0 else names
        step = f" by {_short(group[1])}" if group[1] else ""
        return f"rebuild without the cache, for newer {what}{step}"
    ecosystem, package = group[1:3]
    to = _highest([each.fixed for each in members if each.fixed], ecosystem)
    span = declared(ecosystem, package)
    if span is not None:
        return f"raise {package} to {to} in {span.path}:{span.line}"
    # What nobody declares was brought by what requires it, up to one that somebody did declare.
    why = next((holder.why for each in members for holder in each.holders if len(holder.why) > 1), ())
    for name in reversed(why[:-1]):
        above = declared(ecosystem, name.partition("[")[0])
        if above is not None:
            return f"raise {package} to {to}, which {name} in {above.path}:{above.line} requires"
    return _undeclared(package, to, members[0])


def _undeclared(package: str, to: str, found: Vulnerability) -> str:
    """What nothing in the project declares was brought by an instruction: that is where to look."""
    if _is_compiler(found):
        return f"build {found.path or 'the program'} with Go {to}{_brought(found)}"
    what = f"raise {package} to {to}"
    told = f"nothing in the project declares it{_brought(found)}"
    return f"{what}: {told}" if not found.path else f"{what} in {found.path}: {told}"


def _brought(found: Vulnerability) -> str:
    """Which instruction it came with, as a clause of its own."""
    return f"; {_short(str(found.origin.first))} brought it" if found.origin else ""


def _short(step: str) -> str:
    return step if len(step) <= _LONGEST else f"{step[: _LONGEST - 1]}…"


_LONGEST = 60


def _highest(versions: Sequence[str], ecosystem: str) -> str:
    """The version that is fixed in every respect."""
    known = ECOSYSTEMS.get(ecosystem)
    best = versions[0]
    for version in versions[1:]:
        try:
            if known is not None and known.order.key(best) < known.order.key(version):
                best = version
        except ValueError:
            continue
    return best
