"""Rules: fixed text around one function that yields what it sees.

A rule is a module of its own under `hullmark.rules`; its docstring is the page that `hullmark explain` prints.
The annotation of the function's parameter says what the rule looks at; the function only yields observations.
"""

from __future__ import annotations

import inspect
import sys
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from hullmark.model.finding import Finding, fingerprint
from hullmark.model.fix import Applicability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from hullmark.model.finding import Observation, Severity

T = TypeVar("T")
_Fixes = Literal["safe", "unsafe", "safe or unsafe"]

HEADINGS = ("What it checks", "Why it matters", "How to fix")
"""The sections every rule's page has, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Generic[T]):
    """One convention: what it is called, how bad breaking it is, and how to see that it is broken."""

    id: str
    summary: str
    """One sentence in lower case, said of the broken state: `HEALTHCHECK is missing`."""
    severity: Severity
    since: str
    """The hullmark version that introduced it."""
    page: str
    """The module's docstring: title, and the sections in `HEADINGS`."""
    target: type[T]
    """What the function looks at."""
    function: Callable[[T], Iterable[Observation]]
    fixes: frozenset[Applicability] = frozenset()
    """What kinds of fixes it offers; of some findings it may offer none."""

    @property
    def fixable(self) -> str:
        """The kinds of its fixes in words, `safe`, `unsafe` or both; empty when it offers none."""
        return ", ".join(kind for kind in Applicability if kind in self.fixes)

    def check(self, target: T, *, service: str | None = None) -> Iterator[Finding]:
        """Every finding of this rule in `target`."""
        for seen in self.function(target):
            yield Finding(
                rule=self.id,
                summary=self.summary,
                severity=self.severity if seen.severity is None else seen.severity,
                service=service,
                location=seen.location,
                seen=seen.seen,
                expected=seen.expected,
                remedy=seen.remedy,
                fingerprint=fingerprint(self.id, service, seen),
                fix=seen.fix,
                origin=seen.origin,
                likeness=seen.likeness,
            )


def rule(
    *, summary: str, severity: Severity, since: str, fixes: _Fixes | None = None
) -> Callable[[Callable[[T], Iterable[Observation]]], Rule[T]]:
    """Makes a rule of a function; the id is the function's name with dashes, the page its module's docstring.

    `fixes` says what kinds of fixes its observations come with, where some do.

    Raises `TypeError`, naming file and line, when the function does not take exactly one annotated parameter.
    """

    def decorate(function: Callable[[T], Iterable[Observation]]) -> Rule[T]:
        module = sys.modules[function.__module__]
        parameters = list(inspect.signature(function).parameters)
        hints: dict[str, Any] = typing.get_type_hints(function)
        if len(parameters) != 1 or not isinstance(hints.get(parameters[0]), type):
            code = function.__code__
            msg = (
                f"{code.co_filename}:{code.co_firstlineno}: a rule takes one parameter, annotated with the "
                "class it looks at"
            )
            raise TypeError(msg)
        return Rule(
            id=function.__name__.replace("_", "-"),
            summary=summary,
            severity=severity,
            since=since,
            page=inspect.cleandoc(module.__doc__ or ""),
            target=hints[parameters[0]],
            function=function,
            fixes=frozenset(map(Applicability, fixes.split(" or ") if fixes else ())),
        )

    return decorate
