"""A finding keeps its name while the defect is the same, and findings are ordered by what matters."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError, replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark.model.finding import Finding, Observation, Severity, fingerprint
from hullmark.model.location import ImageConfig, ImagePath, ServicePlace, SourceSpan

if TYPE_CHECKING:
    from hullmark.model.location import Location

WORD = st.text(max_size=8)
SERVICE = st.none() | WORD
NUMBER = st.integers(1, 999)


def _observation(location: Location, *, seen: str = "seen", key: str | None = None) -> Observation:
    return Observation(location=location, seen=seen, expected="expected", remedy="remedy", key=key)


@given(rule=WORD, service=SERVICE, path=WORD, lines=st.lists(NUMBER, min_size=8, max_size=8))
def test_a_fingerprint_does_not_depend_on_lines_and_columns(
    rule: str, service: str | None, path: str, lines: list[int]
) -> None:
    places = [
        SourceSpan(path=path, line=a, column=b, end_line=c, end_column=d)
        for a, b, c, d in (lines[:4], lines[4:])
    ]
    assert len({fingerprint(rule, service, _observation(place)) for place in places}) == 1


@given(rule=WORD, service=SERVICE, names=st.lists(WORD, min_size=2, max_size=2), path=WORD, layer=NUMBER)
def test_a_fingerprint_does_not_depend_on_tags_and_layers(
    rule: str, service: str | None, names: list[str], path: str, layer: int
) -> None:
    files = [ImagePath(image=names[0], path=path), ImagePath(image=names[1], path=path, layer=layer)]
    keys = [ImageConfig(image=name, key=path) for name in names]
    for pair in (files, keys):
        assert len({fingerprint(rule, service, _observation(place)) for place in pair}) == 1


@given(seen=st.lists(WORD, min_size=2, max_size=2), key=WORD)
def test_a_fingerprint_with_a_key_does_not_depend_on_what_was_seen(seen: list[str], key: str) -> None:
    place = SourceSpan(path="Dockerfile")
    assert len({fingerprint("r", None, _observation(place, seen=text, key=key)) for text in seen}) == 1


def test_a_fingerprint_does_not_depend_on_the_remedy_and_the_severity() -> None:
    seen = _observation(SourceSpan(path="Dockerfile"))
    other = replace(seen, remedy="other", expected="other", severity=Severity.NOTE)
    assert fingerprint("r", "s", seen) == fingerprint("r", "s", other)


def test_a_fingerprint_tells_rules_services_files_and_occurrences_apart() -> None:
    place = SourceSpan(path="a")
    seen = _observation(place)
    different = [
        ("r", "s", seen),
        ("q", "s", seen),
        ("r", "t", seen),
        ("r", None, seen),
        ("r", "s", _observation(SourceSpan(path="b"))),
        ("r", "s", _observation(place, seen="other")),
        ("r", "s", _observation(place, key="k")),
        ("r", "s", _observation(ServicePlace(service="a"))),
        ("r", "s", _observation(ImagePath(image="a", path="a"))),
        ("r", "s", _observation(ImageConfig(image="a", key="a"))),
        # Where one part ends and the next begins matters.
        ("rs", "", seen),
        ("r", "sa", _observation(SourceSpan(path=""))),
    ]
    assert len({fingerprint(*each) for each in different}) == len(different)


@given(rule=WORD, service=SERVICE, seen=st.text(st.characters(codec="utf-8")))
def test_a_fingerprint_is_sixteen_hexadecimal_digits(rule: str, service: str | None, seen: str) -> None:
    name = fingerprint(rule, service, _observation(SourceSpan(path="a"), seen=seen))
    assert re.fullmatch("[0-9a-f]{16}", name)


def test_a_fingerprint_stays_what_it_was_in_earlier_versions() -> None:
    seen = _observation(
        SourceSpan(path="services/rag/Dockerfile", line=9), key="org.opencontainers.image.version"
    )
    assert fingerprint("missing-version-label", "rag", seen) == "dc7c9afe3e1a504b"


def test_a_fingerprint_can_be_made_of_names_that_are_no_text() -> None:
    place = SourceSpan(path=b"caf\xe9".decode("utf-8", "surrogateescape"))
    assert len(fingerprint("r", None, _observation(place))) == 16


@pytest.mark.parametrize(
    ("word", "severity"),
    [("note", Severity.NOTE), ("warning", Severity.WARNING), ("error", Severity.ERROR)],
)
def test_a_severity_is_read_and_written_as_its_word(word: str, severity: Severity) -> None:
    assert Severity.parse(word) is severity
    assert str(severity) == f"{severity}" == word


@pytest.mark.parametrize("word", ["", "fatal", "notes", "err or", "1"])
def test_any_other_word_is_no_severity(word: str) -> None:
    with pytest.raises(KeyError):
        Severity.parse(word)


def test_severities_grow_from_note_to_error() -> None:
    assert sorted([Severity.ERROR, Severity.NOTE, Severity.WARNING]) == [
        Severity.NOTE,
        Severity.WARNING,
        Severity.ERROR,
    ]


def _finding(severity: Severity, rule: str, service: str | None, line: int = 1) -> Finding:
    return Finding(
        rule=rule,
        summary="summary",
        severity=severity,
        service=service,
        location=SourceSpan(path="f", line=line),
        seen="seen",
        expected="expected",
        remedy="remedy",
        fingerprint="0" * 16,
    )


def test_findings_are_ordered_by_severity_rule_service_and_place() -> None:
    ordered = [
        _finding(Severity.ERROR, "b", None),
        _finding(Severity.WARNING, "a", None),
        _finding(Severity.WARNING, "a", "s", 1),
        _finding(Severity.WARNING, "a", "s", 2),
        _finding(Severity.WARNING, "b", "a"),
        _finding(Severity.NOTE, "a", None),
    ]
    found = list(ordered)
    found.reverse()
    found.sort(key=lambda finding: finding.sort_key)
    assert found == ordered


def test_findings_of_one_file_are_ordered_by_the_number_of_their_line() -> None:
    ordered = [_finding(Severity.ERROR, "a", "s", line) for line in (2, 9, 10, 100)]
    found = list(ordered)
    found.reverse()
    found.sort(key=lambda finding: finding.sort_key)
    assert found == ordered


@pytest.mark.parametrize(
    ("location", "text", "anchor"),
    [
        (SourceSpan(path="a/b", line=3, column=4), "a/b:3:4", "a/b"),
        (ServicePlace(service="rag"), "service rag", "service:rag"),
        (ImagePath(image="i:1", path="/a"), "i:1:/a", "image:/a"),
        (ImagePath(image="i:1", path="/a", layer=0), "i:1:/a (layer 1)", "image:/a"),
        (ImageConfig(image="i:1", key="User"), "i:1 config.User", "config:User"),
    ],
)
def test_a_location_says_where_it_points_and_what_of_it_stays(
    location: Location, text: str, anchor: str
) -> None:
    assert (str(location), location.anchor) == (text, anchor)


def test_values_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        _finding(Severity.NOTE, "a", None).rule = "b"  # type: ignore[misc]
