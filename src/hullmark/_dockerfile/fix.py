"""Makes the fixes that rules offer: in a text, and in the Dockerfiles and ignore files of a project.

A round makes every fix that does not touch another one, then the rules look again, until nothing is left to be made.
The text keeps its line ends, its byte order mark and the way it ends.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._dockerfile import ignorefile
from hullmark._dockerfile.lint import lint
from hullmark._dockerfile.parser import load, parse
from hullmark._dockerfile.service import context_of, dockerfile_of
from hullmark._files import write_whole
from hullmark.errors import ConfigurationError
from hullmark.model.dockerfile import ImageBase
from hullmark.model.fix import Fixed
from hullmark.model.location import SourceSpan
from hullmark.model.project import NonRoot

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from hullmark.model.context import Context
    from hullmark.model.dockerfile import Dockerfile
    from hullmark.model.finding import Finding
    from hullmark.model.fix import Edit, Fix
    from hullmark.model.project import Project, Service

    Known = Callable[[Iterable[str]], Mapping[str, str]]
    """From references of images to those digests that are known here."""

Seen = tuple["Finding", ...]
MOST_ROUNDS = 60
"""Rounds after which no more is changed; each defect takes one, and those that touch each other one each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """What fixing does to one file."""

    path: Path
    """The file itself, links followed."""
    shown: str
    """How locations call it."""
    before: str
    after: str
    fixed: tuple[Fixed, ...]
    """The fixes that were made, in order."""
    inside: bool = True
    """Whether it lies in the project's directory; a file outside of it is never written."""
    created: bool = False
    """Whether there is no such file yet."""

    @property
    def changed(self) -> bool:
        """Whether there is anything to write."""
        return self.before != self.after

    def write(self) -> None:
        """Puts the fixed text into the file; raises `Unavailable` when that cannot be done."""
        write_whole(self.path, self.after.encode("utf-8", "surrogateescape"), what="the fixed file")

    def diff(self) -> Iterator[str]:
        """The lines of a unified diff, each with its line end."""
        before = "/dev/null" if self.created else self.shown
        for line in difflib.unified_diff(
            _lines(self.before), _lines(self.after), fromfile=before, tofile=self.shown
        ):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def fix_project(
    project: Project,
    services: Iterable[Service],
    *,
    unsafe: bool,
    today: dt.date,
    known: Known = lambda _: {},
) -> tuple[Repair, ...]:
    """What fixing does to the Dockerfiles and ignore files of `services`, each file once; nothing is written.

    `known` is asked for the digests of base images, for fixes that write them down.
    Findings that the configuration ignores on the day `today` are left alone. Raises `ConfigurationError` for a
    Dockerfile that cannot be read, and `UsageError` for a target that is not there.
    """
    users: dict[Path, list[Service]] = {}
    for service in services:
        if service.build is not None and not service.build.unreadable:
            users.setdefault(Path(service.build.dockerfile).resolve(), []).append(service)
    found = []
    problems: list[str] = []
    for path, together in users.items():
        try:
            found.append(_repair(project, path, together, unsafe=unsafe, today=today, known=known))
        except ConfigurationError as error:
            problems += error.problems
    if problems:
        raise ConfigurationError(problems)
    if unsafe:
        found += _ignore_files(project, chain.from_iterable(users.values()), today)
    return tuple(repair for repair in found if repair.changed)


def _ignore_files(project: Project, services: Iterable[Service], today: dt.date) -> Iterator[Repair]:
    """What fixing does to the files that say what the builder does not get."""
    wanted: dict[Path, dict[Fix, Finding]] = {}
    names: dict[Path, str] = {}
    for service in services:
        dockerfile = dockerfile_of(service, project.root)
        assert dockerfile is not None
        assert service.build is not None
        context = context_of(service, dockerfile.recipe(service.build.target), project.root)
        if context is None:
            continue
        path = (project.root / context.ignore_file).resolve()
        names.setdefault(path, context.ignore_file)
        for finding in _seen(dockerfile, service, project, today, context=context):
            if finding.fix is not None and finding.fix.path == context.ignore_file:
                wanted.setdefault(path, {}).setdefault(finding.fix, finding)
    for path, fixes in wanted.items():
        created = not path.exists()
        before = "" if created else ignorefile.text_of(path)
        yield Repair(
            path=path,
            shown=names[path],
            before=before,
            # All of them add to the end, and none takes back what another excludes: what is put there last is first.
            after=apply_edits(before, sorted(_edits(fixes), key=lambda edit: edit.text, reverse=True)),
            fixed=tuple(_fixed(finding, fix) for fix, finding in fixes.items()),
            inside=path.is_relative_to(project.root.resolve()),
            created=created,
        )


def _edits(fixes: Iterable[Fix]) -> Iterator[Edit]:
    return chain.from_iterable(fix.edits for fix in fixes)


def _repair(
    project: Project,
    path: Path,
    services: Iterable[Service],
    *,
    unsafe: bool,
    today: dt.date,
    known: Known,
) -> Repair:
    dockerfile = load(path, project.root)
    digests: Mapping[str, str] = {}

    def look(text: str, service: Service) -> Seen:
        parsed = _parsed(text, dockerfile.path, service)
        assert service.build is not None
        context = context_of(service, parsed.recipe(service.build.target), project.root)
        return _seen(parsed, service, project, today, digests, context=context)

    def see(text: str) -> Seen:
        return tuple(chain.from_iterable(look(text, service) for service in services))

    # It takes a while, and nothing is to be gained where all is pinned or meant to be as it is.
    if unsafe and any(finding.rule == "unpinned-base-image" for finding in see(dockerfile.text)):
        digests = known(_images(dockerfile))
    after, fixed = fix_text(dockerfile.text, see, unsafe=unsafe)
    return Repair(
        path=path,
        shown=dockerfile.path,
        before=dockerfile.text,
        after=after,
        fixed=fixed,
        inside=path.is_relative_to(project.root.resolve()),
    )


def _images(dockerfile: Dockerfile) -> set[str]:
    """The images from outside that stages start from without a digest."""
    return {
        stage.base.reference
        for stage in dockerfile.stages
        if isinstance(stage.base, ImageBase) and not stage.base.unresolved and "@" not in stage.base.reference
    }


def _parsed(text: str, shown: str, service: Service) -> Dockerfile:
    assert service.build is not None
    return parse(text, shown, args=dict(service.build.args))


def _seen(
    dockerfile: Dockerfile,
    service: Service,
    project: Project,
    today: dt.date,
    digests: Mapping[str, str] | None = None,
    *,
    context: Context | None = None,
) -> Seen:
    """What the rules say of the Dockerfile of `service`, without what the configuration ignores."""
    assert service.build is not None
    found = lint(
        dockerfile,
        target=service.build.target,
        service=service.name,
        volumes=service.volumes,
        labels=service.build.labels,
        required=project.settings.labels,
        digests=digests or {},
        own=project.own_images(service),
        non_root=isinstance(project.settings.service(service.name).user, NonRoot),
        context=context,
    )
    ignores = project.settings.ignores
    return tuple(each for each in found if not any(one.covers(each, today) for one in ignores))


def fix_text(text: str, see: Callable[[str], Seen], *, unsafe: bool = False) -> tuple[str, tuple[Fixed, ...]]:
    """`text` with every fix made that the findings of `see` offer, and those fixes.

    Fixes of other files are left out. The findings of several services may offer the same fix; it is made once. Of two
    fixes that touch the same place the first is made, and the other in the next round if it is still offered.
    """
    made: list[Fixed] = []
    state = _State(see=see)
    for _ in range(MOST_ROUNDS):
        fixes = [
            (finding, finding.fix)
            for finding in see(text)
            if finding.fix is not None and finding.fix.path == _place(finding).path
        ]
        # What is safe for one service may not be for another that is built from the same file.
        withheld = [fix.edits for _, fix in fixes if not fix.allowed(unsafe=unsafe)]
        offered = [
            (finding, fix)
            for finding, fix in fixes
            if fix.allowed(unsafe=unsafe) and fix not in state.refused and fix.edits not in withheld
        ]
        chosen = list(_apart(offered))
        if not chosen:
            break
        text, kept = state.applied(text, chosen)
        made += [_fixed(finding, fix) for finding, fix in kept]
    return text, tuple(made)


@dataclass(slots=True, kw_only=True)
class _State:
    see: Callable[[str], Seen]
    refused: set[Fix] = field(default_factory=set)
    """Fixes after which the file could not be read any more."""

    def applied(
        self, text: str, chosen: Sequence[tuple[Finding, Fix]]
    ) -> tuple[str, Sequence[tuple[Finding, Fix]]]:
        """`text` with all of `chosen` made, or, when nobody can read that, with those that can be made alone."""
        together = apply_edits(text, _edits(fix for _, fix in chosen))
        if self.reads(together):
            return together, chosen
        for finding, fix in chosen:
            alone = apply_edits(text, fix.edits)
            if self.reads(alone):
                return alone, [(finding, fix)]
            self.refused.add(fix)
        return text, []

    def reads(self, text: str) -> bool:
        try:
            self.see(text)
        except ConfigurationError:
            return False
        return True


def _apart(offered: Iterable[tuple[Finding, Fix]]) -> Iterator[tuple[Finding, Fix]]:
    """Those of `offered`, in the order of the file, that touch none before them.

    Of two that declare the same argument, the other sees in the next round that it is there.
    """
    taken: list[Edit] = []
    arguments: set[str] = set()
    for finding, fix in sorted(offered, key=lambda each: min(edit.start for edit in each[1].edits)):
        if any(edit.start <= other.end and other.start <= edit.end for edit in fix.edits for other in taken):
            continue
        declared = {line for edit in fix.edits for line in edit.text.split("\n") if line.startswith("ARG ")}
        if declared & arguments:
            continue
        arguments |= declared
        taken += fix.edits
        yield finding, fix


def _place(finding: Finding) -> SourceSpan:
    place = finding.location
    assert isinstance(place, SourceSpan)
    return place


def _fixed(finding: Finding, fix: Fix) -> Fixed:
    return Fixed(location=_place(finding), rule=finding.rule, message=fix.message)


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """`text` with `edits` made, none of which touches another; their line ends become those of the text."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text.removeprefix(mark)
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    end_of_line = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    for edit in sorted(edits, key=lambda each: each.start, reverse=True):
        start, end = (starts[line - 1] + column - 1 for line, column in (edit.start, edit.end))
        text = text[:start] + edit.text.replace("\n", end_of_line) + text[end:]
    return mark + text


def _lines(text: str) -> list[str]:
    """The lines as a diff compares them: ended by a line feed only."""
    lines = text.split("\n")
    return [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
