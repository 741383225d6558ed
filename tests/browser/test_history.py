"""The history in the HTML report: a chart that says what it shows, and a table with the same in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from hullmark.model.history import Checkout, OwnerBytes, Record, service_histories

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from hullmark.model.report import Report

    Open = Callable[..., Page]

MB = 1_000_000
SIZES = (371, 371, 372, 372, 374, 374, 409, 409, 410, 411, 411, 412)
LEVELS = """found => [...found.querySelectorAll('.dot')].map(dot => {
    const { top, height } = dot.getBoundingClientRect();
    return Math.round(top + height / 2);
})"""


def _record(at: int, service: str = "web", size: int | None = 300) -> Record:
    return Record(
        service=service,
        time=dt.datetime(2026, 10, 1, 9, tzinfo=dt.UTC) + dt.timedelta(days=3 * at),
        checkout=Checkout(commit=f"{at + 10:02d}c0ffee" * 5, branch="main"),
        transfer=151 * MB,
        unpacked=None if size is None else size * MB,
        visible=None if size is None else size * MB,
        owners=(OwnerBytes(kind="python", name="torch", bytes=(240 if (size or 0) < 400 else 268) * MB),),
        start=4.2,
        findings=(("error", 1), ("warning", 2), ("note", 0)),
        vulnerabilities=(("high", 3),),
    )


@pytest.fixture
def recorded(report: Report) -> Report:
    """The report with what was measured before: of one service a lot, of one a single time."""
    records = [_record(at, size=size) for at, size in enumerate(SIZES)]
    return dataclasses.replace(report, history=service_histories([*records, _record(0, "crawler", None)]))


@pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
def test_the_chart_and_its_table_say_the_same_to_everybody(
    open_report: Open,
    recorded: Report,
    width: int,
    dark: bool,  # noqa: FBT001  # given by name
) -> None:
    page = open_report(recorded, width=width, dark=dark)
    history = page.locator("#history")
    chart = history.get_by_role("img")
    assert chart.count() == 1
    assert chart.get_attribute("aria-label") == "Unpacked size in 12 records, from 371.0 MB to 412.0 MB"
    tops = chart.evaluate(LEVELS)
    assert [(tops[at] > tops[at + 1], tops[at] == tops[at + 1]) for at in range(len(SIZES) - 1)] == [
        (SIZES[at] < SIZES[at + 1], SIZES[at] == SIZES[at + 1]) for at in range(len(SIZES) - 1)
    ]
    assert chart.locator(".step").count() == 1
    assert "Step: +35.0 MB (+9.4%) at 16c0ffee of 2026-10-19: torch +28.0 MB" in history.inner_text()
    history.locator("summary").last.focus()
    page.keyboard.press("Enter")
    rows = history.locator("article").last.locator("tbody tr")
    assert rows.count() == len(SIZES)
    assert rows.nth(6).inner_text().split("\t") == [
        "2026-10-19 09:00", "16c0ffee", "409.0 MB", "+35.0 MB", "151.0 MB", "4.2 s", "3", "3",
    ]  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
