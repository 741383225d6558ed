"""Packages of Debian and its relatives: the status file, what each package lists, and what was diverted.

Images without a shell keep one file per package in `status.d`, with or without checksums beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._contents.packages.evidence import Claim, overlapping
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._contents.packages.evidence import Evidence, Found

_ROOT = "/var/lib/dpkg/"
_FIELD = re.compile(
    r"^(Package|Status|Version|Architecture|Source|Maintainer|Multi-Arch):[ \t]*(.*?)[ \t\r]*$",
    re.MULTILINE | re.IGNORECASE,
)
_STANZAS = re.compile(r"\n[ \t\r]*\n")
_SOURCE = re.compile(r"(\S+)(?:\s+\((.*)\))?")
_GONE = frozenset({"not-installed", "config-files"})


def read(found: Found) -> Iterator[Claim]:
    """What every package claims, in every state that the database was in."""
    by_name: dict[str, list[Evidence]] = {}
    states: list[Evidence] = []
    diversions: list[Evidence] = []
    for each in found.evidence:
        rest = each.path.removeprefix(_ROOT)
        if rest == each.path:
            continue
        if rest == "status" or (rest.startswith("status.d/") and not rest.endswith(".md5sums")):
            states.append(each)
        elif rest == "diversions":
            diversions.append(each)
        else:
            by_name.setdefault(rest, []).append(each)
    yield from _Reader(found, by_name, diversions).claims(states)


class _Reader:
    """One pass over the states, which remembers which lists were claimed."""

    def __init__(
        self, found: Found, by_name: Mapping[str, list[Evidence]], diversions: list[Evidence]
    ) -> None:
        self._found = found
        self._by_name = by_name
        self._diversions = [(each, _diversions(each.text)) for each in diversions]
        self._taken = set[int]()

    def claims(self, states: list[Evidence]) -> Iterator[Claim]:
        # The newest state first, so that a list belongs to the version that was there last.
        for state in sorted(states, key=lambda each: (-each.span.died, -each.number)):
            yield from self._state(state)
        for name, lists in self._by_name.items():
            if not name.endswith(".list"):
                continue
            for each in lists:
                if each.number not in self._taken and each.span.visible:
                    package = name.removeprefix("info/").removesuffix(".list").partition(":")[0]
                    self._found.notes.append(
                        f"{each.path} lists the files of a package that the status lacks"
                    )
                    owner = Owner(kind=OwnerKind.DPKG, name=package)
                    yield Claim(
                        owner=owner, span=each.span, files=self._real(package, each.text.split("\n"), each)
                    )

    def _state(self, state: Evidence) -> Iterator[Claim]:
        unlisted, unreadable = 0, 0
        for stanza in _STANZAS.split(state.text):
            fields = {name.lower(): value for name, value in _FIELD.findall(stanza)}
            name, version = fields.get("package", ""), fields.get("version", "")
            if not name:
                unreadable += bool(stanza.strip("\n\r\t \0"))
                continue
            status = fields.get("status", "install ok installed").split()
            if not status or status[-1] == "not-installed":
                continue
            owner = Owner(kind=OwnerKind.DPKG, name=name, version=version)
            files, listed = self._files(state, name, fields.get("architecture", ""))
            package = None
            if state.span.visible and status[-1] not in _GONE:
                unlisted += not listed
                package = _package(owner, fields, state.path)
                if not version:
                    self._found.notes.append(f"{state.path} gives no version of {name}")
            yield Claim(owner=owner, span=state.span, package=package, files=files)
        if unreadable and state.span.visible:
            self._found.notes.append(f"{state.path} holds {unreadable} paragraphs that describe no package")
        if unlisted and state.span.visible:
            subject = "a package whose files" if unlisted == 1 else f"{unlisted} packages whose files"
            self._found.notes.append(f"{state.path} names {subject} are listed nowhere")

    def _files(self, state: Evidence, name: str, architecture: str) -> tuple[list[str], bool]:
        """The paths that the package lists, and whether there is a list."""
        places = (f"info/{name}:{architecture}", f"info/{name}")
        for place in places:
            lists = [
                each for each in self._by_name.get(f"{place}.list", ()) if each.span.overlaps(state.span)
            ]
            if lists:
                newest = [overlapping(state.span, lists) or lists[0]] if state.span.visible else lists
                files = list[str]()
                for each in newest:
                    # A package that was there before and after is the later state's.
                    if each.number not in self._taken:
                        self._taken.add(each.number)
                        files += self._real(name, each.text.split("\n"), each)
                return files, True
        beside = state.path.removeprefix(_ROOT)
        for place in (*places, *((beside, f"status.d/{name}") if beside.startswith("status.d/") else ())):
            sums = overlapping(state.span, self._by_name.get(f"{place}.md5sums", ()))
            if sums is not None:
                lines = (line.split(None, 1) for line in sums.text.split("\n"))
                paths = ["/" + parts[1].removeprefix("./").lstrip("/") for parts in lines if len(parts) == 2]  # noqa: PLR2004  # sum and path
                return self._real(name, paths, sums), True
        return [], False

    def _real(self, package: str, paths: list[str], listed: Evidence) -> list[str]:
        """Where the files that the package lists really are, after diversions by other packages."""
        for each, diverted in self._diversions:
            if each.span.overlaps(listed.span):
                return [
                    diverted[path][0] if path in diverted and diverted[path][1] != package else path
                    for path in paths
                ]
        return paths


def _package(owner: Owner, fields: Mapping[str, str], location: str) -> Package:
    source = _SOURCE.match(fields.get("source", ""))
    return Package(
        owner=owner,
        location=location,
        architecture=fields.get("architecture", ""),
        source=source[1] if source else owner.name,
        source_version=(source[2] if source else None) or owner.version,
        maintainer=fields.get("maintainer", ""),
    )


def _diversions(text: str) -> dict[str, tuple[str, str]]:
    """By path: where the file is instead, and the package that is allowed to have the path."""
    lines: Iterable[str] = iter(text.split("\n"))
    return {path: (instead, package) for path, instead, package in zip(lines, lines, lines, strict=False)}
