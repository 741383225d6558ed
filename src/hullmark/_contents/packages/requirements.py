"""Why packages are there: the shortest way of requirements from one that somebody asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

Node = tuple[int, str]
"""A package by its position, and the extra that it is wanted with, empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The way to one package."""

    declared: bool
    way: tuple[str, ...]
    """Names, from what is declared or required by nobody to the package itself."""


def reach(
    count: int,
    *,
    roots: Iterable[Node],
    everything: Iterable[Node],
    onwards: Callable[[Node], Iterable[Node]],
    options: Iterable[Node],
    label: Callable[[Node], str],
    declared: Collection[int],
) -> list[Reached]:
    """The shortest way to each of `count` packages.

    Ways begin at `roots`; where these do not lead, at what nobody requires, then at `options` (packages with an extra
    that nobody asked for), and in a ring of packages that only require each other, at the first of them.
    """
    search = _Search(onwards)
    nodes, offered = list(everything), list(options)
    search.spread(roots)
    wanted = _Search(onwards)
    wanted.spread([*nodes, *search.before])
    required = {there[0] for node in wanted.before for there in wanted.next_to(node) if there[0] != node[0]}
    optional = {there[0] for node in offered for there in search.next_to(node)}
    search.spread(node for node in nodes if node[0] not in required and node[0] not in optional)
    search.spread(
        node
        for node in offered
        if node[0] in search.first and any(there[0] not in search.first for there in search.next_to(node))
    )
    for node in nodes:
        if node[0] not in search.first:
            search.spread([node])
    return [
        Reached(declared=index in declared, way=_way(search.first[index], search.before, label))
        for index in range(count)
    ]


class _Search:
    """A search in waves, so that the first way to a package is a shortest one."""

    def __init__(self, onwards: Callable[[Node], Iterable[Node]]) -> None:
        self.before: dict[Node, Node | None] = {}
        """The step before each that was reached."""
        self.first: dict[int, Node] = {}
        """The step that a package was reached by first."""
        self._onwards = onwards
        self._edges: dict[Node, list[Node]] = {}

    def next_to(self, node: Node) -> list[Node]:
        if node not in self._edges:
            self._edges[node] = list(self._onwards(node))
        return self._edges[node]

    def spread(self, starts: Iterable[Node]) -> None:
        """Reach what can be reached from `starts`."""
        wave = [start for start in starts if self._reach(start, None)]
        while wave:
            wave = [there for node in wave for there in self.next_to(node) if self._reach(there, node)]

    def _reach(self, node: Node, before: Node | None) -> bool:
        if node in self.before:
            return False
        self.before[node] = before
        self.first.setdefault(node[0], node)
        return True


def _way(node: Node, before: dict[Node, Node | None], label: Callable[[Node], str]) -> tuple[str, ...]:
    """The labels up to a package, whose own extra says nothing of why it is there."""
    names = [label((node[0], ""))]
    index = node[0]
    step = before[node]
    while step is not None:
        if step[0] != index:  # an extra of the same package is not another step
            names.append(label(step))
            index = step[0]
        step = before[step]
    names.reverse()
    return tuple(names)
