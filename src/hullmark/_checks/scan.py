"""Asks scanners for the known vulnerabilities of the images, and makes findings of what they say."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hullmark._baseline.compare import before
from hullmark._checks.findings import apply
from hullmark._checks.sharing import AT_ONCE, explained, for_each
from hullmark._contents.inventory import inventory
from hullmark._dockerfile import context_of
from hullmark._images.cache import Cache
from hullmark._scanners.actions import with_actions
from hullmark._scanners.declared import Declarations
from hullmark._scanners.embedded import Embedded
from hullmark._scanners.grype import Grype
from hullmark._scanners.ignore_files import suppressions
from hullmark._scanners.interface import Missing, Target
from hullmark._scanners.merge import merged
from hullmark._scanners.osv_scanner import OsvScanner
from hullmark._scanners.places import Places
from hullmark._scanners.policy import HEADERS, decided, young
from hullmark._scanners.suppressions import Suppressions
from hullmark._scanners.trivy import Trivy
from hullmark._vulnerabilities.match import match
from hullmark._vulnerabilities.store import Store, directory_in, stored
from hullmark.errors import HullmarkError, Interrupted
from hullmark.model.attribution import Told
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.scan import Advice, ScannerUsed, ScanSummary, SetAside
from hullmark.model.vulnerability import Exposure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._anatomy import Reading
    from hullmark._checks.run import Run
    from hullmark._scanners import Scanned, Scanner
    from hullmark._scanners.interface import Available
    from hullmark.model.anatomy import Anatomy
    from hullmark.model.finding import Finding
    from hullmark.model.inventory import Inventory
    from hullmark.model.outcome import Outcome
    from hullmark.model.project import Service
    from hullmark.model.vulnerability import Match, Vulnerability

_ALL = "all"
_ADVICE = 5
"""Changes that the text of a report lists for an image."""


@dataclass(kw_only=True)
class _Scanning:
    """What the scans of all services share."""

    there: tuple[tuple[Scanner, Available], ...]
    missing: tuple[str, ...]
    """Why those cannot be asked that should have been."""
    absent: tuple[str, ...]
    """Those that everyone there is without, by name."""
    aside: Suppressions
    now: dt.datetime
    remedies: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def scan(run: Run) -> None:
    """Scans the image of every service that is checked, several at a time."""
    settings, root = run.project.settings.scan, run.project.root
    now = dt.datetime.now(dt.UTC)
    aside = Suppressions(suppressions(root, settings), now.date())
    there, absent, missing = _scanners(run, now)
    scanning = _Scanning(there=there, missing=missing, absent=tuple(absent), aside=aside, now=now)
    prepared = threading.Lock()
    waiting = [scanner for scanner, _ in there]

    def one(run: Run, service: Service) -> Outcome:
        if reason := run.failed_builds().get(service.name):
            return Skipped(reason=reason)
        if not there:
            return Skipped(reason="; ".join((*missing, *absent.values())))
        with prepared:
            # One database for all, which is fetched when the first image is there to be scanned.
            while waiting:
                waiting.pop().prepare()
        return _scan_one(run, service, scanning)

    for_each(run, Check.SCAN, one, at_once=AT_ONCE)
    _tell_stale(run, scanning)


def _scanners(
    run: Run, now: dt.datetime
) -> tuple[tuple[tuple[Scanner, Available], ...], dict[str, str], tuple[str, ...]]:
    """The scanners that were asked for and are there; of everyone, those that are not, and why; what is missing."""
    surroundings, settings = run.surroundings, run.project.settings.scan
    cache = Cache.at(surroundings.environ).directory
    common = (surroundings.commands, run.project.root, surroundings.environ)
    scanners: list[Scanner] = [
        Embedded(None if cache is None else directory_in(cache), max_age=settings.db_max_age, now=now),
        *(
            kind(*common, None if cache is None else cache / "scanners" / kind.name)
            for kind in (Trivy, Grype, OsvScanner)
        ),
    ]
    there: list[tuple[Scanner, Available]] = []
    absent: dict[str, str] = {}
    missing: list[str] = []
    for scanner in scanners:
        if run.documents and not isinstance(scanner, Embedded):
            if settings.scanner == scanner.name:
                missing.append(f"{scanner.name} is asked about images here, and not about a document")
        elif settings.scanner in (scanner.name, _ALL):
            answer = scanner.probe()
            if not isinstance(answer, Missing):
                there.append((scanner, answer))
            elif answer.absent and settings.scanner == _ALL:
                absent[scanner.name] = answer.reason
            else:
                # Refused or broken: nobody knows what it would have said.
                missing.append(answer.reason)
    return tuple(there), absent, tuple(missing)


def _scan_one(run: Run, service: Service, scanning: _Scanning) -> Outcome:
    settings = run.project.settings.scan
    run.surroundings.progress.begin(Check.SCAN, service.name, "looking for known vulnerabilities")
    document = run.documents.get(service.name)
    anatomy = run.anatomy(service) if document is None else None
    listed = run.reading.listed(document or "", run.project.root) if anatomy is None else inventory(anatomy)
    if not listed.packages and listed.distribution is None:
        # There is nothing that a scanner could know.
        return Skipped(reason="nothing to scan: neither a distribution nor any package", moot=True)
    answers, problems = _ask(run, service, scanning, listed)
    if not answers:
        return Broken(error="\n".join(problems))
    places = Places(listed) if anatomy is None else _places(run.reading, anatomy, listed)
    found = merged(places.placed(each) for _, _, said in answers for each in said.vulnerabilities)
    told, actions = with_actions(
        (decided(each, settings) for each in found), _declarations(run, service).find
    )
    with scanning.lock:
        counted, aside = _divided(told, scanning.aside, service.image)
        scanning.remedies.update((each.id, each.remedy) for each in _aside_of(aside) if each.remedy)
    counted = _compared(run, service.name, counted)
    ids = {each.id for each in counted if not each.held}
    advice = [
        Advice(text=action.text, fixes=number)
        for action in actions
        if (number := len(ids.intersection(action.fixes)))
    ]
    advice.sort(key=lambda each: (-each.fixes, each.text))
    summary = ScanSummary(
        service=service.name,
        distribution=str(listed.distribution or ""),
        packages=tuple((str(kind), number) for kind, number in listed.counts.items()),
        scanners=tuple(_used(answers, found)),
        coverage=tuple(each for _, _, said in answers for each in said.coverage),
        unrecognised=listed.unrecognised,
        advice=tuple(advice),
        held=tuple(sorted(Counter(each.held for each in counted if each.held).items())),
        set_aside=tuple(aside),
        notes=(
            *([f"as {listed.document} lists it"] if listed.document else []),
            *listed.notes,
            *([f"not asked, as they are not here: {', '.join(scanning.absent)}"] if scanning.absent else []),
            *(note for _, _, said in answers for note in said.notes),
        ),
        inventory=listed,
    )
    run.scans.append(summary)
    run.vulnerabilities += counted
    findings = tuple(_findings(run, service, (each for each in counted if not each.held), scanning.now))
    run.suppressed += [
        replace(finding, seen=f"{finding.seen}; {each.reason}")
        for each in aside
        for finding in _findings(run, service, (each.vulnerability,), scanning.now)
    ]
    problems += scanning.missing
    if all(not said.recognised for _, _, said in answers):
        problems.append("no scanner knows its distribution or any of its packages")
    if problems:
        return Broken(error="\n".join((*dict.fromkeys(problems), noted(summary))), findings=findings)
    return Ran(findings=findings, note=noted(summary))


def _compared(run: Run, service: str, found: list[Vulnerability]) -> list[Vulnerability]:
    """`found`, each with how it stands to the baseline, where that tells anything of this service."""
    there = (
        None if run.baseline is None else before(run.baseline, service, lambda old: _known_today(run, old))
    )
    if there is None:
        return found
    # Baselines leave out what does not count whatever becomes of it.
    return [each if each.held == HEADERS else replace(each, standing=there.standing(each)) for each in found]


def _known_today(run: Run, listed: Inventory) -> tuple[Match, ...]:
    """What the records that are stored say of an inventory; nothing where none are."""
    cache = Cache.at(run.surroundings.environ).directory
    if cache is None or not stored(directory_in(cache)):
        return ()
    with Store(directory_in(cache)) as store:
        return match(listed, store).matches


def _aside_of(aside: Iterable[SetAside]) -> Iterator[Vulnerability]:
    """The vulnerabilities that were set aside."""
    return (each.vulnerability for each in aside)


def _ask(
    run: Run, service: Service, scanning: _Scanning, listed: Inventory
) -> tuple[list[tuple[Scanner, Available, Scanned]], list[str]]:
    """What every scanner says; one that fails does not silence the others, and is told."""
    directory = run.project.root / run.project.settings.scan.reports
    answers: list[tuple[Scanner, Available, Scanned]] = []
    problems: list[str] = []
    for scanner, available in scanning.there:
        several = f".{scanner.name}" if len(scanning.there) > 1 else ""
        target = Target(
            image=service.image,
            scheme=run.medium.scheme,
            service=service.name,
            inventory=listed,
            report=directory / f"{service.name}{several}.json",
        )
        try:
            said = scanner.scan(target)
        except Interrupted:
            raise
        except HullmarkError as error:
            problems.append(explained(error))
            continue
        answers.append((scanner, available, said))
        problems += said.problems
    return answers, problems


def _places(reading: Reading, anatomy: Anatomy, listed: Inventory) -> Places:
    """Where packages come from, by the layers of the base image too, where the engine still has it."""
    bases = {
        each.base
        for origin in anatomy.attribution.origins
        for each in origin.chain
        if each.told is Told.BASE and each.base
    }
    if len(bases) != 1:
        return Places(listed)
    (base,) = bases
    try:
        image = reading.bare(f"docker:{base}")
    except Interrupted:
        raise
    except HullmarkError:
        # What the history of the image says of its base has to do.
        return Places(listed, base=base)
    return Places(listed, base=base, base_layers=[str(layer.diff_id) for layer in image.layers])


def _declarations(run: Run, service: Service) -> Declarations:
    recipe, root = run.recipe(service), run.project.root
    context = None if recipe is None else context_of(service, recipe, root)
    if context is None or service.build is None:
        return Declarations(root, root, ())
    return Declarations(root, Path(service.build.context), context.manifests)


def _divided(
    found: Iterable[Vulnerability], aside: Suppressions, image: str
) -> tuple[list[Vulnerability], list[SetAside]]:
    counted: list[Vulnerability] = []
    suppressed: list[SetAside] = []
    for each in found:
        decision = aside.of(each, image)
        if decision is None:
            counted.append(each)
        else:
            suppressed.append(SetAside(vulnerability=each, reason=decision.told()))
    return counted, suppressed


def _findings(
    run: Run, service: Service, found: Iterable[Vulnerability], now: dt.datetime
) -> Iterator[Finding]:
    settings = run.project.settings.scan
    for each in found:
        chain = each.origin.chain if each.origin else ()
        written = next((origin.span for origin in reversed(chain) if origin.span is not None), None)
        exposure = Exposure(
            vulnerability=each,
            fail_on=run.project.settings.fail_on(each.standing),
            image=service.image,
            origin=written or run.final_stage(service),
            grace=young(each, settings, now),
        )
        for finding in apply(exposure, service.name):
            yield replace(finding, standing=each.standing)


def _used(
    answers: Iterable[tuple[Scanner, Available, Scanned]], found: tuple[Vulnerability, ...]
) -> Iterator[ScannerUsed]:
    for scanner, available, _ in answers:
        seen = [each.seen_by for each in found if scanner.name in each.seen_by]
        yield ScannerUsed(
            name=scanner.name,
            version=available.version,
            digest=available.digest,
            found=len(seen),
            alone=sum(len(who) == 1 for who in seen),
        )


def noted(summary: ScanSummary) -> str:
    """What was looked at and by whom, what does not count, and what to do: a line each."""
    packages = ", ".join(f"{number} {kind}" for kind, number in summary.packages) or "no packages"
    dates = sorted(each.as_of for each in summary.coverage if each.as_of)
    age = f", records of {dates[0][:10]}" if dates else ""
    who = ", ".join(f"{each.name} {each.version}" for each in summary.scanners)
    skipped = f", {len(summary.unrecognised)} files not understood" if summary.unrecognised else ""
    lines = [f"{summary.distribution or 'no distribution'}; {packages}{skipped}; by {who}{age}"]
    if len(summary.scanners) > 1:
        several = (f"{each.name} {each.found}, {each.alone} of them alone" for each in summary.scanners)
        lines.append(f"known to {'; '.join(several)}")
    lines += [f"{number} not counted: {why}" for why, number in summary.held]
    if summary.set_aside:
        lines.append(f"{len(summary.set_aside)} ignored")
    lines += summary.notes
    lines += [f"{each.text}: fixes {each.fixes}" for each in summary.advice[:_ADVICE]]
    if len(summary.advice) > _ADVICE:
        lines.append(f"{len(summary.advice) - _ADVICE} more changes fix others")
    return "\n".join(lines)


def _tell_stale(run: Run, scanning: _Scanning) -> None:
    """Adds what the project has set aside and has to look at again."""
    looked = [result.outcome for result in run.results if result.check is Check.SCAN]
    whole = run.services == run.project.built and all(
        isinstance(each, Ran) or (isinstance(each, Skipped) and each.moot) for each in looked
    )
    started = time.monotonic()
    findings = tuple(
        finding
        for each in scanning.aside.stale(scanning.remedies, whole=whole)
        for finding in apply(each, None)
    )
    if findings:
        run.results.append(
            CheckResult(
                check=Check.SCAN,
                service=None,
                outcome=Ran(findings=findings),
                seconds=time.monotonic() - started,
            )
        )
