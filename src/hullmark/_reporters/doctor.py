"""What the doctor says, for a person and for a program."""

from __future__ import annotations

from textwrap import fill
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hullmark import __version__
from hullmark._reporters.document import schema_of, written
from hullmark.model.diagnosis import Looked
from hullmark.model.outcome import Broken, Skipped
from hullmark.model.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hullmark.model.diagnosis import Diagnosis, Examinations, Examined, Reading, Remedy, Repair, Sight

SCHEMA = "hullmark/doctor/1"
FORMATS = ("text", "json")


def text(examinations: Examinations, width: int = 80) -> Iterator[str]:
    """The lines of the report on a machine: what there is, then what is wrong with it."""
    for each in examinations.examined:
        yield from _examined(each, width)
    yield f"\n{_summary(examinations)}\n"


def _examined(each: Examined, width: int) -> Iterator[str]:
    match each.sight:
        case Skipped(reason=reason):
            yield f"{each.examination}: skipped: {printable(reason)}\n"
        case Broken(error=error):
            yield f"{each.examination}: broken: {' '.join(printable(line) for line in error.splitlines())}\n"
        case Looked(facts=facts, troubles=troubles):
            yield f"{each.examination}\n"
            indent = max((len(name) for name, _ in facts), default=0) + 4
            for name, value in facts:
                yield from _wrapped(f"  {name}", printable(value), width, indent)
            for trouble in sorted(troubles, key=lambda one: -one.severity):
                yield from _wrapped(f"  {trouble.severity}:", _joined(trouble.seen), width, 4)
                yield from _wrapped("    fix:", _joined(trouble.remedy), width, 9)


def _summary(examinations: Examinations) -> str:
    sights = [each.sight for each in examinations.examined]
    troubles = [each for sight in sights if isinstance(sight, Looked) for each in sight.troubles]
    counts = {
        name: sum(str(each.severity) == name for each in troubles) for name in ("error", "warning", "note")
    }
    said = [f"{number} {name}{'' if number == 1 else 's'}" for name, number in counts.items() if number]
    unseen = sum(not isinstance(sight, Looked) for sight in sights)
    if unseen:
        said.append(f"{unseen} not looked at")
    return f"{len(sights)} examinations: {', '.join(said) or 'nothing is wrong'}"


def text_of_log(reading: Reading, width: int = 80) -> Iterator[str]:
    """The lines of the report on a log."""
    name = "standard input" if reading.log == "-" else printable(reading.log)
    lines = f"{reading.lines:,} line{'' if reading.lines == 1 else 's'}"
    if not reading.lines:
        yield f"{name}: nothing to read\n"
        return
    if not reading.diagnoses:
        yield f"{name}: nothing recognised in {lines}\n"
        if reading.unexplained:
            yield "something failed, and what it is about is not among the situations that are known:\n"
        for number, line in reading.unexplained:
            yield f"  line {number}: {printable(line)}\n"
        return
    number = len(reading.diagnoses)
    yield f"{name}: {number} situation{'' if number == 1 else 's'} in {lines}\n"
    for each in reading.diagnoses:
        yield "\n"
        yield from _diagnosis(each, width)


def _diagnosis(each: Diagnosis, width: int) -> Iterator[str]:
    yield f"{each.situation}: {each.summary}\n"
    times = f" ({each.times} times)" if each.times > 1 else ""
    yield f"  line {each.line}: {printable(each.excerpt)}{times}\n"
    if each.service or each.step:
        places = [f"service {each.service}"] if each.service else []
        places += [f"build step [{each.step}]"] if each.step else []
        yield f"  in: {printable(', '.join(places))}\n"
    yield from _wrapped("  cause:", printable(each.advice.cause), width, 9)
    for found in each.advice.found:
        yield from _wrapped("  found:", printable(found), width, 9)
    for remedy in each.advice.remedies:
        yield from _wrapped("  do:", printable(remedy.text), width, 6)
        if remedy.shown:
            yield f"      {remedy.shown}\n"
    if each.advice.repair is not None:
        yield from _wrapped("  --fix:", printable(each.advice.repair.effect), width, 9)


def _joined(text_: str) -> str:
    return " ".join(printable(line) for line in text_.splitlines())


def _wrapped(label: str, text_: str, width: int, indent: int) -> Iterator[str]:
    """`label` and the text beside it, on as many lines as it takes; words are kept whole."""
    start = f"{label} ".ljust(indent)
    yield (
        fill(
            f"{start}{text_}",
            width,
            subsequent_indent=" " * len(start),
            break_long_words=False,
            break_on_hyphens=False,
        )
        + "\n"
    )


# --- for programs ----------------------------------------------------------------------------------------------------


class ToolD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What wrote it."""

    name: Literal["hullmark"]
    version: str


class FactD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that there is on the machine."""

    name: str
    value: str


class TroubleD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that will get in the way."""

    severity: Literal["error", "warning", "note"]
    seen: str
    remedy: str


class ExaminationD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One examination; `reason` says why it was skipped or what broke it."""

    name: str
    about: str
    status: Literal["ran", "skipped", "broken"]
    reason: str | None
    facts: list[FactD1]
    troubles: list[TroubleD1]


class RemedyD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something that a person can do: `command` to type, or `line` to write into a file, or neither."""

    text: str
    command: str | None
    line: str | None


class RepairD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `--fix` does; `applied` is null where it was not asked for."""

    command: str
    effect: str
    applied: bool | None


class DiagnosisD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One situation that the log tells of, first in `line`."""

    situation: str
    summary: str
    line: int
    times: int
    excerpt: str
    service: str | None
    step: str | None
    values: dict[str, str]
    cause: str
    found: list[str]
    remedies: list[RemedyD1]
    repair: RepairD1 | None


class LineD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line that says that something failed, where nothing is recognised."""

    line: int
    text: str


class LogD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a log tells of; `name` is `-` for standard input."""

    name: str
    lines: int
    diagnoses: list[DiagnosisD1]
    unexplained: list[LineD1]


class DoctorD1(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the doctor says: of a machine, `log` is null then, or of a log, with no examinations."""

    schema: Literal["hullmark/doctor/1"]
    tool: ToolD1
    exit_code: int
    examinations: list[ExaminationD1]
    log: LogD1 | None


def json(examinations: Examinations) -> str:
    """The report on a machine as JSON."""
    return _document(examinations.status.value, [_examination(each) for each in examinations.examined], None)


def json_of_log(reading: Reading, *, exit_code: int, applied: Mapping[Repair, bool] | None = None) -> str:
    """The report on a log as JSON; `applied` says of repairs whether they were."""
    log = LogD1(
        name=reading.log,
        lines=reading.lines,
        diagnoses=[_described(each, applied or {}) for each in reading.diagnoses],
        unexplained=[LineD1(line=number, text=line) for number, line in reading.unexplained],
    )
    return _document(exit_code, [], log)


def _document(exit_code: int, examinations: list[ExaminationD1], log: LogD1 | None) -> str:
    return written(
        DoctorD1(
            schema="hullmark/doctor/1",
            tool=ToolD1(name="hullmark", version=__version__),
            exit_code=exit_code,
            examinations=examinations,
            log=log,
        )
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of what `json` and `json_of_log` write."""
    return schema_of(DoctorD1, SCHEMA)


def _examination(each: Examined) -> ExaminationD1:
    facts: list[FactD1] = []
    troubles: list[TroubleD1] = []
    if isinstance(each.sight, Looked):
        facts = [FactD1(name=name, value=value) for name, value in each.sight.facts]
        troubles = [
            TroubleD1(severity=_severity(one.severity.value), seen=one.seen, remedy=one.remedy)
            for one in each.sight.troubles
        ]
    status, reason = _status(each.sight)
    return ExaminationD1(
        name=each.examination,
        about=each.about,
        status=status,
        reason=reason,
        facts=facts,
        troubles=troubles,
    )


def _severity(value: int) -> Literal["error", "warning", "note"]:
    return "error" if value == 3 else "warning" if value == 2 else "note"  # noqa: PLR2004  # of the enumeration


def _status(sight: Sight) -> tuple[Literal["ran", "skipped", "broken"], str | None]:
    match sight:
        case Skipped(reason=reason):
            return "skipped", reason
        case Broken(error=error):
            return "broken", error
        case Looked():
            return "ran", None


def _described(each: Diagnosis, applied: Mapping[Repair, bool]) -> DiagnosisD1:
    repair = each.advice.repair
    return DiagnosisD1(
        situation=each.situation,
        summary=each.summary,
        line=each.line,
        times=each.times,
        excerpt=each.excerpt,
        service=each.service,
        step=each.step,
        values=dict(each.values),
        cause=each.advice.cause,
        found=list(each.advice.found),
        remedies=[_remedy(one) for one in each.advice.remedies],
        repair=None
        if repair is None
        else RepairD1(command=repair.shown, effect=repair.effect, applied=applied.get(repair)),
    )


def _remedy(each: Remedy) -> RemedyD1:
    return RemedyD1(
        text=each.text,
        command=each.shown if each.command else None,
        line=None if each.command else each.shown or None,
    )
