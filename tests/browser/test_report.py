"""The HTML report in a real browser: what it shows, how it is used, and by whom it can be."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from hullmark._contents.difference import difference
from hullmark._reporters import Style, render
from hullmark.model.baseline import Comparison, KnownFinding, Standing
from hullmark.model.difference import Contents, Holding
from hullmark.model.finding import Severity
from hullmark.model.location import ImagePath, SourceSpan
from hullmark.model.outcome import Check, CheckResult, Ran
from hullmark.model.owner import OwnerKind
from hullmark.model.space import SpaceNode

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

    from hullmark.model.report import Report

    Open = Callable[..., Page]

WIDTHS = (390, 768, 1280)


def _boxes(page: Page) -> list[str]:
    boxes = page.locator(".map").first.locator(".box")
    return [str(boxes.nth(at).get_attribute("aria-label")) for at in range(boxes.count())]


def _shown(page: Page) -> list[str]:
    return page.locator(".finding:visible .rule").all_inner_texts()


def test_it_opens_with_the_verdict(open_report: Open, report: Report) -> None:
    page = open_report(report)
    assert page.locator("h1").inner_text() == "May not sail"
    assert page.title() == "tale: may not sail - hullmark"
    assert page.locator("#services tbody tr").count() == 2
    assert page.locator("#smoke .life .name").all_inner_texts() == ["db", "migrate", "crawler", "web"]
    assert page.locator("#smoke .failure h3 bdi").all_inner_texts() == ["crawler"]
    assert page.locator("#vulnerabilities tbody tr").count() == 2


def test_without_scripts_everything_but_the_map_is_there(open_report: Open, report: Report) -> None:
    page = open_report(report, scripts=False)
    assert len(_shown(page)) == 3
    assert page.locator(".layers tbody tr").count() == 6
    assert page.locator("#filters").is_hidden()
    assert page.locator("#theme").is_hidden()


def test_findings_are_filtered_by_severity_service_and_check(open_report: Open, report: Report) -> None:
    page = open_report(report)
    assert _shown(page) == ["root-user", "unpinned-base-image", "world-writable"]
    page.locator("[value=error]").uncheck()
    assert _shown(page) == ["unpinned-base-image", "world-writable"]
    assert page.locator("#count").inner_text() == "2 of 3 findings"
    page.locator("[name=service]").select_option("crawler")
    assert _shown(page) == ["world-writable"]
    page.locator("[name=check]").select_option("lint")
    assert _shown(page) == []
    page.get_by_role("button", name="Show all").click()
    assert len(_shown(page)) == 3


def test_findings_are_searched_for_words_in_any_order(open_report: Open, report: Report) -> None:
    page = open_report(report)
    page.keyboard.press("/")
    page.keyboard.type("DIGEST bookworm")
    assert _shown(page) == ["unpinned-base-image"]


def test_the_map_is_walked_with_the_mouse(open_report: Open, report: Report) -> None:
    page = open_report(report)
    first = page.locator(".map").first
    whole = _boxes(page)
    assert [label.split(",")[0] for label in whole] == ["python", "dpkg", "directory"]
    first.locator(".box").first.click(position={"x": 20, "y": 8})
    assert [label.split(",")[0] for label in _boxes(page)] == ["torch 2.4.0", "numpy 2.1.0"]
    first.get_by_role("button", name="all").click()
    assert _boxes(page) == whole


def test_the_map_is_walked_with_the_keyboard(open_report: Open, report: Report) -> None:
    page = open_report(report)
    whole = _boxes(page)
    page.locator(".map").first.locator(".box").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert [label.split(",")[0] for label in _boxes(page)] == ["git 1:2.39.5", "perl-base 5.36"]
    page.keyboard.press("Escape")
    assert _boxes(page) == whole
    # Back where it came from, not at the beginning.
    assert str(page.evaluate("document.activeElement.ariaLabel")).startswith("dpkg,")


def test_the_map_shows_the_same_bytes_by_instruction_and_by_path(open_report: Open, report: Report) -> None:
    page = open_report(report)
    first = page.locator(".map").first
    for view, names in (("instruction", {"docker/web/Dockerfile:9: RUN pip install .", "COPY dist /app"}),
                        ("path", {"usr", "app/dist"})):  # fmt: skip
        first.get_by_label(view).check()
        assert {label.split(", ")[0] for label in _boxes(page)} == names


def test_boxes_are_as_large_as_what_they_stand_for(open_report: Open, report: Report) -> None:
    page = open_report(report)
    drawn: list[tuple[int, float]] = [
        tuple(each)
        for each in page.evaluate(
            "[...document.querySelector('.boxes').children].map(b => [b.node[1], (b.offsetWidth + 2) * (b.offsetHeight + 2)])"
        )
    ]
    size, area = (sum(column) for column in zip(*drawn, strict=True))
    for part, surface in drawn:
        assert surface / area == pytest.approx(part / size, rel=0.05)


def test_light_and_dark_are_chosen_and_remembered(open_report: Open, report: Report) -> None:
    page = open_report(report, dark=True)
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.get_by_role("button", name="Theme").click()
    light = page.evaluate(background)
    assert light != dark
    page.reload()
    assert page.evaluate(background) == light
    page.get_by_role("button", name="Theme").click()
    assert page.evaluate(background) == dark


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_everybody_can_use_it(open_report: Open, report: Report, width: int, *, dark: bool) -> None:
    page = open_report(report, width=width, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.fixture
def compared(report: Report) -> Report:
    """The same report beside a baseline."""
    standings = iter((Standing.KNOWN, Standing.INTRODUCED, Standing.DISCLOSED))
    results = tuple(
        dataclasses.replace(
            result,
            outcome=Ran(
                findings=tuple(
                    dataclasses.replace(each, standing=next(standings)) for each in result.findings
                )
            ),
        )
        if result.findings
        else result
        for result in report.results
    )
    sides = [
        Contents(
            reference=name,
            unpacked=size,
            visible=size,
            settings=(("Env.A_VERY_LONG_NAME", name * 30),),
            holdings=(
                Holding(kind=OwnerKind.PYTHON, name="numpy", text="RUN pip " * 9, bytes=size, files=1),
            ),
        )
        for name, size in (("before", 10_000_000), ("after", 50_000_000))
    ]
    comparison = Comparison(
        name="hullmark-baseline.jsonl at origin/main (0123456789)",
        first=False,
        new_only=True,
        fixed=(KnownFinding(fingerprint="f:1", rule="missing-healthcheck", severity="error", service="web"),),
        images=(("web", difference(*sides)),),
        notes=("it tells nothing of smoke of web",),
    )
    return dataclasses.replace(report, results=results, comparison=comparison)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_new_is_told_from_what_the_baseline_has(
    open_report: Open, compared: Report, *, dark: bool
) -> None:
    page = open_report(compared, width=390, dark=dark)
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert "numpy" in page.locator("#baseline").inner_text()
    assert len(_shown(page)) == 3
    page.locator("[name=standing]").select_option("introduced")
    assert len(_shown(page)) == 1
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(open_report: Open, report: Report, width: int) -> None:
    page = open_report(report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_all_of_it_is_on_paper(open_report: Open, report: Report) -> None:
    page = open_report(report)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".top").is_hidden()
    assert page.locator("details:not([open])").count() == 0


HOSTILE: tuple[Any, ...] = (
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    '"><svg onload=document.title="taken">',
    "{{ 7 * 7 }}{% raw %}",
    "שלום/עולם.txt",
    "left\u202eright\u2066to",
    "\x00\x07\x1b[31mred",
    "/" + "/".join(["d" * 200] * 20),
    "bytes-\udcff-\udc80",
)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_names_of_others_are_text_and_nothing_else(open_report: Open, report: Report, name: str) -> None:
    """Wherever a name stands, no script of it runs, nothing is asked for, and the page keeps its width."""
    known = report.findings[0]
    bad = dataclasses.replace(
        known, seen=name, expected=f"`{name}`", remedy=name, summary=name, severity=Severity.ERROR,
        location=ImagePath(image="tale-web:dev", path=name, layer=1), origin=SourceSpan(path=name),
    )  # fmt: skip
    image = report.images[0]
    assert image.boxes is not None
    box = SpaceNode(name=name, bytes=1000, files=1, inside=(SpaceNode(name=name, bytes=1000, files=1),))
    root = SpaceNode(name="", bytes=1000, files=1, inside=(box,))
    hostile = dataclasses.replace(
        report,
        project=name,
        results=(CheckResult(check=Check.LINT, service="web", outcome=Ran(findings=(bad,))),),
        images=(
            dataclasses.replace(
                image,
                reference=name,
                boxes=dataclasses.replace(image.boxes, owners=root),
                layers=tuple(dataclasses.replace(each, instruction=name) for each in image.layers),
            ),
        ),
        vulnerabilities=tuple(
            dataclasses.replace(each, package=name, installed=name, path=name)
            for each in report.vulnerabilities
        ),
        suppressed=(),
    )
    page = open_report(hostile, width=390)
    assert page.title().endswith("hullmark")
    assert page.locator("script").count() == 2
    assert page.locator("main img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".box").first.click()
    assert page.locator(".box").count() == 1


def test_pictures_for_the_documents_are_taken_at_three_widths(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("".join(render("html", report, Style())), encoding="utf-8")
    script = Path(__file__).parents[2] / "scripts" / "screenshots"
    subprocess.run([sys.executable, script, file, tmp_path], check=True, timeout=300)
    # The width of a PNG is at a fixed place of its header.
    widths = {each.stem: int.from_bytes(each.read_bytes()[16:20], "big") for each in tmp_path.glob("*.png")}
    assert widths == {"report-desktop": 1280, "report-dark": 1280, "report-tablet": 820, "report-phone": 390}
