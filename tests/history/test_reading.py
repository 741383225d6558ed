"""What is read from a history: steps where there are steps, creep where there is creep, and nothing elsewhere."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.history.conftest import MB, record

from hullmark._reporters import history as report
from hullmark._reporters import history_v1
from hullmark.model.history import (
    FEWEST,
    Checkout,
    OwnerBytes,
    creep,
    service_histories,
    step_positions,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hullmark.model.history import (
        Record,
        ServiceHistory,
    )

LEVEL = st.integers(10 * MB, 4_000 * MB)


def _histories(sizes: Sequence[int], **choice: float) -> tuple[ServiceHistory, ...]:
    last = int(choice.pop("last", 20))
    return service_histories(
        [record(at, unpacked=size) for at, size in enumerate(sizes)], last=last, **choice
    )


@given(
    level=LEVEL,
    share=st.floats(0.011, 3),
    before=st.integers(1, 12),
    after=st.integers(1, 12),
    up=st.booleans(),
)
def test_one_step_is_found_where_it_is(level: int, share: float, before: int, after: int, up: bool) -> None:  # noqa: FBT001  # given by name
    other = round(level * (1 + share))
    first, then = (level, other) if up else (other, round(level * 0.98))
    assert step_positions([first] * before + [then] * after) == (before,)


@given(level=LEVEL, noise=st.lists(st.integers(-99, 99), min_size=1, max_size=40))
def test_what_is_within_the_smallest_step_is_none(level: int, noise: list[int]) -> None:
    assert step_positions([level + level * each // 20_000 for each in noise]) == ()


@given(level=LEVEL, each=st.floats(0.001, 0.2), number=st.integers(4, 40))
def test_steady_growth_is_no_step_and_creeps(level: int, each: float, number: int) -> None:
    sizes = [level + round(level * each) * at for at in range(number)]
    found = creep(sizes)
    assert number < FEWEST or step_positions(sizes) == ()
    assert (found is None) == (number < FEWEST)
    if found is not None:
        assert found.bytes == sizes[-1] - sizes[0]
        assert found.share == pytest.approx((sizes[-1] - sizes[0]) / level)


@given(level=LEVEL, other=LEVEL, at=st.integers(2, 12), after=st.integers(2, 12))
def test_one_value_that_is_off_is_no_step_and_no_creep(level: int, other: int, at: int, after: int) -> None:
    sizes = [level] * at + [other] + [level] * after
    assert step_positions(sizes) == ()
    found = creep(sizes)
    assert found is not None
    assert found.bytes == 0


@given(sizes=st.lists(LEVEL, max_size=30), factor=st.integers(2, 9))
def test_the_unit_of_sizes_does_not_matter(sizes: list[int], factor: int) -> None:
    larger = [size * factor for size in sizes]
    assert step_positions(larger) == step_positions(sizes)
    found, other = creep(sizes), creep(larger)
    if found is not None and other is not None:
        assert other.share == pytest.approx(found.share)


@given(
    level=LEVEL,
    share=st.floats(0.011, 3),
    before=st.integers(1, 12),
    after=st.integers(4, 12),
    each=st.integers(0, 99),
)
def test_one_step_is_no_creep_and_hides_none(
    level: int, share: float, before: int, after: int, each: int
) -> None:
    steady = [level + each * at for at in range(before + after)]
    found = creep([*steady[:before], *(size + round(level * share) for size in steady[before:])])
    assert found is not None
    assert abs(found.bytes - (steady[-1] - steady[0])) <= each * 2


def test_several_steps_are_creep_but_for_the_largest() -> None:
    sizes = [MB * 100 * (101 + 2 * (at // 4)) // 100 for at in range(20)]
    assert step_positions(sizes) == (4, 8, 12, 16)
    found = creep(sizes)
    assert found is not None
    assert 0.05 < found.share < 0.08


@given(level=LEVEL, noise=st.lists(st.integers(-99, 99), min_size=FEWEST, max_size=30))
def test_what_is_read_backwards_shrinks_by_what_it_grew(level: int, noise: list[int]) -> None:
    sizes = [level + level * each // 20_000 for each in noise]
    forwards, backwards = creep(sizes), creep(sizes[::-1])
    assert forwards is not None
    assert backwards is not None
    assert forwards.bytes == -backwards.bytes


@given(values=st.lists(st.integers(0, 10**12), min_size=1, max_size=40))
def test_a_sparkline_rises_where_its_values_do(values: list[int]) -> None:
    line = report.sparkline(values)
    assert len(line) == len(values)
    assert [
        line[a] <= line[b] for a in range(len(line)) for b in range(len(line)) if values[a] <= values[b]
    ].count(False) == 0
    assert (len(set(line)) == 1) == (len(set(values)) == 1)


def test_what_was_not_committed_or_not_measured_takes_no_part() -> None:
    records = [record(at) for at in range(6)]
    dirty = dataclasses.replace(
        record(4, unpacked=900 * MB), checkout=Checkout(commit="4" * 40, branch="main", dirty=True)
    )
    unknown = dataclasses.replace(record(3), unpacked=None, visible=None)
    (found,) = service_histories([*records, dirty, unknown])
    assert found.steps == ()
    assert found.creep is not None
    assert (found.creep.records, found.creep.bytes) == (6, 0)
    assert len(found.records) == 8


def test_a_step_names_the_owners_that_both_records_tell_of() -> None:
    def owned(at: int, size: int, *owners: tuple[str, int]) -> Record:
        kept = tuple(OwnerBytes(kind="python", name=name, bytes=size) for name, size in owners)
        return dataclasses.replace(record(at, unpacked=size), owners=kept)

    before = owned(0, 100 * MB, ("torch", 60 * MB), ("numpy", 10 * MB), ("gone", 5 * MB))
    after = owned(1, 140 * MB, ("torch", 75 * MB), ("scipy", 30 * MB), ("numpy", 10 * MB))
    (found,) = service_histories([before, after])
    assert [each.owners for each in found.steps] == [
        (("scipy", 30 * MB), ("torch", 15 * MB), ("gone", -5 * MB))
    ]
    # Where a record keeps no more than the largest, one that it does not name may have been there.
    many = tuple((f"p{at}", 20 * MB) for at in range(10))
    (found,) = service_histories([owned(0, 300 * MB, *many), owned(1, 340 * MB, ("new", 40 * MB), *many[1:])])
    assert [each.owners for each in found.steps] == [()]


def test_the_last_records_of_each_service_are_looked_at_in_their_order() -> None:
    mixed = [record(at, service=name) for at in (3, 1, 2, 0) for name in ("web", "db")]
    found = service_histories(mixed, last=2)
    assert [(each.service, [one.time for one in each.records]) for each in found] == [
        (name, [record(2).time, record(3).time]) for name in ("db", "web")
    ]


def test_a_person_is_shown_the_trend_the_step_and_who_made_it() -> None:
    sizes = [400 * MB, 400 * MB, 401 * MB, 401 * MB, 440 * MB, 441 * MB, 441 * MB, 442 * MB]
    (found,) = _histories(sizes, limit=0.005)
    last = dataclasses.replace(
        found.records[-1],
        transfer=1_234_500_000,
        start=125.04,
        findings=(("error", 1), ("note", 2)),
        vulnerabilities=(),
    )
    dirty = dataclasses.replace(last, checkout=dataclasses.replace(last.checkout, dirty=True))
    lines = "".join(
        report.text([dataclasses.replace(found, records=(*found.records[:-1], last, dirty))])
    ).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "web",
        "  ▁▁▁▁█████  400.0 MB to 442.0 MB",
        "  date       commit      unpacked      change   transfer   start findings  vuln.",
    ]
    assert lines[-6:] == [
        "  2026-11-01 00000000    442.0 MB     +1.0 MB 1,234.5 MB 125.0 s        3      0",
        "  2026-11-01 00000000+   442.0 MB             1,234.5 MB 125.0 s        3      0",
        "  step: +39.0 MB (+9.7%) at 00000000 of 2026-11-01",
        "  trend: +2.8 MB (+0.7%) over 8 records, more than 0.5%",
        "",
        "+ with changes that were not committed; steps and trends leave it out",
    ]


@given(sizes=st.lists(st.none() | LEVEL, max_size=12), dirty=st.booleans(), last=st.integers(1, 20))
def test_every_history_is_told_and_fits_its_schema(sizes: list[int | None], dirty: bool, last: int) -> None:  # noqa: FBT001  # given by name
    records = [
        dataclasses.replace(
            record(at), unpacked=size, visible=size, checkout=Checkout(dirty=dirty and at % 2 == 0)
        )
        for at, size in enumerate(sizes)
    ]
    found = service_histories(records, last=last)
    assert all(len(line) <= 81 for line in report.text(found))
    told = json.loads(history_v1.json(found, project="shop", branch=None))
    jsonschema.validate(told, history_v1.schema())
    assert [len(each["records"]) for each in told["services"]] == ([min(len(sizes), last)] if sizes else [])


def test_findings_of_fewer_checks_than_others_are_marked() -> None:
    lint, scan = ("lint", (("error", 1),)), ("scan", (("error", 6),))
    (history,) = service_histories(
        [
            dataclasses.replace(record(0), checks=(lint, scan), findings=(("error", 7),)),
            dataclasses.replace(record(1), checks=(lint,), findings=(("error", 1),)),
            record(2),
        ]
    )
    lines = "".join(report.text([history]))
    assert " 1*" in lines
    assert "findings: of lint, scan; * where not all of them were made" in lines
