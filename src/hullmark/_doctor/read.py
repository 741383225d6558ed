"""A log and the situations that it tells of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._doctor.log import take_apart
from hullmark._doctor.situation import Symptom
from hullmark._doctor.situations import catalogue
from hullmark.model.diagnosis import Diagnosis, Reading
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._doctor.log import Log
    from hullmark._doctor.patient import Patient
    from hullmark._doctor.situation import Situation

_STAMPED = r"^(?:[\d\[]\S* ){0,4}"
"""Where a message starts: at the start of the line, or behind a time and what stands in brackets."""
_FAILED = re.compile(
    r"failed to solve: |^(?:docker: )?Error response from daemon: |exited with code [1-9]|"
    r"did not complete successfully|returned a non-zero code|OCI runtime \w+ failed|^dependency failed to start|"
    r"^(?:ERROR|error|npm error|npm ERR!|fatal|E)[: ] ?(?!\s*0\b)|"
    # What languages print when nobody handles an error.
    r"Traceback \(most recent call last\)|" + _STAMPED + r"panic: |^thread '[^']*' panicked at |"
    r'Exception in thread "|[Uu]n(?:handled|caught) [Ee]xception\b(?! handler)|'
    + _STAMPED
    + r"(?:Caused by: )?(?:[A-Za-z_][\w$]*\.)+[A-Z]\w*(?:Exception|Error)(?:: |\s*$)|"
    + _STAMPED
    + r"(?:Uncaught )?[A-Z]\w*(?:Error|Exception): |"
    # A level of its own, not a count of such messages and not a word of a sentence.
    r"(?<![\w.=/-])(?<!no )(?<!\b0 )FATAL(?![\w=./-]| errors?\b)(?!:?\s*0\b)|"
    r"(?<![\w.=/-])[Ff]atal(?: error)?: (?!\s*0\b)|\blevel\"?[=:] ?\"?(?i:fatal|panic)\b",
    re.MULTILINE,
)
_MOST = 5
_LONGEST = 400


def read(name: str, text: str, patient: Patient) -> Reading:
    """What the log `text`, called `name`, tells of; `patient` is asked about what it says."""
    log = take_apart(text)
    found = _Reader(log, patient).diagnoses()
    unexplained: tuple[tuple[int, str], ...] = ()
    if not found:
        indexes = dict.fromkeys(log.line_at(failed.start()) for failed in _FAILED.finditer(log.text))
        unexplained = tuple((i + 1, shortened(log.lines[i].shown.strip(), _LONGEST)) for i in indexes)
    return Reading(
        log=name,
        lines=sum(1 for line in log.lines if line.shown.strip()),
        diagnoses=found,
        unexplained=unexplained[-_MOST:],
    )


class _Match:
    """All places where a log says one thing."""

    def __init__(self, index: int, symptom: Symptom) -> None:
        self.index = index
        self.symptom = symptom
        self.times = 1


class _Reader:
    def __init__(self, log: Log, patient: Patient) -> None:
        self._log = log
        self._patient = patient
        self._told: dict[str, tuple[Diagnosis, ...]] = {}
        self._matched = {each.id: tuple(self._matches(each)) for each in catalogue()}

    def diagnoses(self) -> tuple[Diagnosis, ...]:
        """In the order in which the log tells of them."""
        found = [diagnosis for each in catalogue() for diagnosis in self._tell(each)]
        return tuple(sorted(found, key=lambda each: (each.line, each.situation)))

    def _matches(self, situation: Situation) -> Iterable[_Match]:
        """What it says, each thing once; of patterns that fit a line, the first one counts."""
        found: dict[tuple[tuple[str, str], ...], _Match] = {}
        seen: set[int] = set()
        for pattern in situation.patterns:
            before = frozenset(seen)
            for match in pattern.finditer(self._log.text):
                index = self._log.line_at(match.start())
                if index in before:
                    continue
                seen.add(index)
                symptom = self._symptom(match, index)
                key = tuple(sorted(symptom.values.items()))
                if key not in found:
                    found[key] = _Match(index, symptom)
                else:
                    found[key].times += 1
                    if index < found[key].index:
                        found[key].index, found[key].symptom = index, symptom
        if situation.once and found:
            most = max(found.values(), key=lambda each: (len(each.symptom.values), -each.index))
            most.times = sum(each.times for each in found.values())
            return [most]
        # What says less than another place in the log says nothing of its own.
        return [each for key, each in found.items() if key or len(found) == 1]

    def _symptom(self, match: re.Match[str], index: int) -> Symptom:
        line = self._log.lines[index]
        values = {name: value for name, value in match.groupdict().items() if value}
        service = values.pop("service", None) or line.service or self._patient.of_step(line.step)
        return Symptom(values=values, service=service, step=line.step, patient=self._patient)

    def _tell(self, situation: Situation) -> tuple[Diagnosis, ...]:
        if situation.id not in self._told:
            self._told[situation.id] = ()  # of two that give way to each other, one is told
            better = [each for each in catalogue() if each.id in situation.gives_way_to]
            if not any(self._tell(each) for each in better):
                self._told[situation.id] = tuple(self._advised(situation))
        return self._told[situation.id]

    def _advised(self, situation: Situation) -> Iterator[Diagnosis]:
        for match in self._matched[situation.id]:
            advice = situation.function(match.symptom)
            if advice is not None:
                yield Diagnosis(
                    situation=situation.id,
                    summary=situation.summary,
                    line=match.index + 1,
                    excerpt=shortened(self._log.lines[match.index].shown.strip(), _LONGEST),
                    service=match.symptom.service,
                    step=match.symptom.step,
                    values=tuple(match.symptom.values.items()),
                    advice=advice,
                    times=match.times,
                )
