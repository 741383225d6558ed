"""Lints the Dockerfile of a service, and what the Compose files declare for it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._checks.findings import apply
from hullmark._checks.ignores import idle_comments
from hullmark._checks.sharing import explained, for_each
from hullmark._compose import compositions, environment_files
from hullmark._dockerfile import context_of, review
from hullmark._dockerfile.written import written_of
from hullmark._engines.handed_on import LocalImages
from hullmark._linters.hadolint import Hadolint, NoHadolint
from hullmark._linters.known import EQUIVALENT, IDS, silenced
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.finding import Severity
from hullmark.model.location import SourceSpan
from hullmark.model.outcome import Broken, Check, Ran, Skipped
from hullmark.model.project import NonRoot
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hullmark._checks.run import Run
    from hullmark._dockerfile.written import WrittenDockerfile
    from hullmark.model.composition import Composition
    from hullmark.model.context import Context
    from hullmark.model.finding import Finding
    from hullmark.model.location import Location
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service


def lint(run: Run) -> None:
    """Lints what is chosen; of a whole project also the services that run images of others."""
    here = LocalImages(commands=run.surroundings.commands)
    found = compositions(run.project, run.surroundings.commands, here.handed_on)
    declared = {each.service: each for each in found}
    written = {each.name: known for each in run.services if (known := written_of(each)) is not None}
    others, failure = _ask_hadolint(run, written)
    used: dict[str, set[tuple[int, str]]] = {}
    unignored: dict[str, set[tuple[int, str]]] = {}
    told: set[tuple[str, str, Location]] = set()

    def one(run: Run, service: Service) -> Outcome:
        findings = apply(declared[service.name], service.name)
        note = _noted(declared[service.name], None)
        inline = written.get(service.name)
        dockerfile = run.dockerfiles.get(service.name) if inline is None else inline.dockerfile
        if service.build is not None and dockerfile is not None:
            recipe = dockerfile.recipe(service.build.target)
            context = context_of(service, recipe, run.project.root, secrets=True)
            theirs = (others or {}).get(dockerfile.path if inline is None else _key(service.name), ())
            meant = {each: why for each in theirs if (why := silenced(each, recipe)) is not None}
            reviewed = review(
                dockerfile,
                target=service.build.target,
                service=service.name,
                volumes=service.volumes,
                labels=service.build.labels,
                required=run.project.settings.labels,
                own=run.project.own_images(service),
                non_root=isinstance(run.project.settings.service(service.name).user, NonRoot),
                context=context,
                others=[each for each in theirs if each not in meant],
                equivalent=EQUIVALENT,
                shared=inline is None,
            )
            silent = [replace(why, service=service.name) for why in meant.values()]
            run.silenced += silent if inline is None else map(inline.placed, silent)
            found = reviewed.findings
            findings += _untold(found, run, told) if inline is None else tuple(map(inline.placed, found))
            used.setdefault(dockerfile.path, set()).update(reviewed.used)
            unignored.setdefault(dockerfile.path, set()).update(_named(reviewed.findings))
            note = _noted(declared[service.name], context)
        elif service.build is not None:
            # What is in the Compose file is found all the same; that the rest was not looked at is told.
            reason = f"its Dockerfile cannot be linted: {service.build.unreadable}"
            return Broken(error=reason, findings=findings) if findings else Skipped(reason=reason)
        if failure is not None:
            return Broken(error=failure, findings=findings)
        if any(finding.severity is Severity.ERROR for finding in findings):
            note = note.removeprefix("ok; ")
        return Ran(findings=tuple(sorted(findings, key=lambda finding: finding.sort_key)), note=note)

    whole = run.services == run.project.built
    for_each(run, Check.LINT, one, at_once=1, services=run.project.services if whole else run.services)
    started = time.monotonic()
    inlines = {name: each.dockerfile for name, each in written.items() if each.start is not None}
    about_all = list(
        idle_comments(run, run.dockerfiles | inlines, used, unignored, with_hadolint=others is not None)
    )
    for file in environment_files(run.project, run.surroundings.commands):
        about_all += apply(file, None)
    if about_all:
        run.add(Check.LINT, None, Ran(findings=tuple(about_all)), started)


def _named(findings: Iterable[Finding]) -> Iterator[tuple[int, str]]:
    """Line and rule of each of `findings`, by each of its names."""
    for finding in findings:
        if isinstance(finding.location, SourceSpan):
            for name in (finding.rule, *finding.aliases):
                yield finding.location.line, name


def _untold(
    findings: Iterable[Finding], run: Run, told: set[tuple[str, str, Location]]
) -> tuple[Finding, ...]:
    """`findings` without those of hadolint that an earlier service with the same Dockerfile has in `told`.

    What it finds is about the file. Where it is ignored for one service only, the next one tells it.
    """
    left = []
    for finding in findings:
        key = (finding.rule, finding.seen, finding.location)
        if key in told:
            continue
        left.append(finding)
        if IDS.fullmatch(finding.rule) and not any(
            each.rule == finding.rule and each.service == finding.service
            for each in run.project.settings.ignores
        ):
            told.add(key)
    return tuple(left)


def _noted(composition: Composition, context: Context | None) -> str:
    """What was not looked at, or could not be; empty where there is no such thing."""
    notes = []
    if context is not None and context.unread:
        files = f"{context.unread:,} file{'' if context.unread == 1 else 's'}"
        notes.append(f"{files} ({format_size(context.unread_bytes)}) not looked through for secrets")
    notes += [
        f"`{composition.service}` waits until `{each.service}` is healthy, and whether `{each.image}` has a health check is not known here"
        for each in composition.awaited
        if not each.known
    ]
    return f"ok; {'; '.join(notes)}" if notes else ""


def _ask_hadolint(
    run: Run, written: Mapping[str, WrittenDockerfile]
) -> tuple[Mapping[str, tuple[Finding, ...]] | None, str | None]:
    """What hadolint finds in each Dockerfile, `None` when it does not run; and why not, where it should have.

    What it finds in those of `written` stands under the keys of the services.
    """
    wanted = run.project.settings.hadolint
    if wanted == "never":
        return None, None
    linter = Hadolint(run.surroundings.commands, run.project.root)
    program = linter.probe()
    if isinstance(program, NoHadolint):
        return None, program.reason if wanted == "always" else None
    try:
        found = linter.lint(program, sorted({each.path for each in run.dockerfiles.values()}))
        texts = linter.lint_texts(program, {name: each.text for name, each in written.items()})
    except Interrupted:
        raise
    except HullmarkError as error:
        return None, explained(error)
    shifted = {_key(name): tuple(map(written[name].shifted, theirs)) for name, theirs in texts.items()}
    return found | shifted, None


def _key(service: str) -> str:
    """What stands for the Dockerfile of a service in the Compose file, and is no path."""
    return f"{service}\0"
