"""A browser, and a report with something of everything to open in it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

from hullmark._reporters import Style, render
from hullmark.model.difference import Difference, LayerDifference, OwnerChange, Total, Update
from hullmark.model.finding import Finding, Severity
from hullmark.model.location import ImageConfig, ImagePath, SourceSpan
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.owner import Owner, OwnerKind
from hullmark.model.probe import HttpProbe
from hullmark.model.report import ImageSummary, LayerSummary, Report, RuleText
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.space import OwnerSpace, SpaceMap, SpaceNode
from hullmark.model.stack import ProbeRun, StackRun
from hullmark.model.verdict import Policy, decide
from hullmark.model.vulnerability import Vulnerability

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

MB = 1_000_000
SPAN = SourceSpan(path="compose.yaml", line=4)
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def node(name: str, *inside: SpaceNode, size: int = 0, files: int = 1, folded: int = 0) -> SpaceNode:
    """A box that is as large as what is in it."""
    return SpaceNode(
        name=name,
        bytes=sum(each.bytes for each in inside) if inside else size,
        files=sum(each.files for each in inside) if inside else files,
        inside=tuple(sorted(inside, key=lambda each: -each.bytes)),
        folded=folded,
    )


def finding(rule: str, severity: Severity, **values: object) -> Finding:
    """A finding of the service `web`, unless `values` say otherwise."""
    known = Finding(
        rule=rule, summary="image runs as root", severity=severity, service="web",
        location=SourceSpan(path="docker/web/Dockerfile", line=12, column=1),
        seen="no `USER`, which is root", expected="a user other than root",
        remedy="declare `USER app` after the last `RUN`", fingerprint="0" * 16,
    )  # fmt: skip
    return dataclasses.replace(known, **values)  # type: ignore[arg-type]  # fields of a finding


def boxes() -> SpaceMap:
    """The map of an image of 412 MB."""
    modules = node(
        "usr",
        node("lib/python3.11", *(node(f"package{at}", size=(40 - at) * MB // 4, files=50) for at in range(24)),
             node("", size=6 * MB, files=1800, folded=310)),
        node("bin", node("python3.11", size=7 * MB), node("git", size=4 * MB)),
        node("share", size=22 * MB, files=900),
    )  # fmt: skip
    app = node("app/dist", node("vendor.js", size=33 * MB), node("", size=2 * MB, files=200, folded=40))
    owners = node(
        "",
        node("python", node("torch 2.4.0", modules), node("numpy 2.1.0", size=38 * MB, files=800)),
        node("dpkg", node("git 1:2.39.5", size=41 * MB, files=700), node("perl-base 5.36", size=29 * MB, files=300)),
        node("directory", node("/app", app)),
    )  # fmt: skip
    return SpaceMap(
        owners=owners,
        instructions=node("", node("docker/web/Dockerfile:9: RUN pip install .", modules), node("COPY dist /app", app)),
        paths=node("", modules, app),
        smallest=412_000,
    )  # fmt: skip


def image(service: str, budget: int | None = 500 * MB) -> ImageSummary:
    """An image with layers, owners, and something to compare it with."""
    change = OwnerChange(kind=OwnerKind.PYTHON, name="torch", before=("2.3.1",), after=("2.4.0",),
                         bytes_before=230 * MB, bytes_after=268 * MB, text="RUN pip install .")  # fmt: skip
    return ImageSummary(
        service=service, reference=f"tale-{service}:dev", config_digest="sha256:" + "c" * 64,
        platform="linux/amd64", unpacked=412 * MB, visible=398 * MB, budget=budget, transfer=151 * MB, estimated=True,
        layers=(
            LayerSummary(diff_id="sha256:" + "1" * 64, unpacked=77 * MB, instruction="FROM debian:bookworm-slim"),
            LayerSummary(diff_id="sha256:" + "2" * 64, unpacked=300 * MB, masked=14 * MB,
                         instruction="docker/web/Dockerfile:9: RUN pip install --no-cache-dir . && rm -rf /tmp/build"),
            LayerSummary(diff_id="sha256:" + "3" * 64, unpacked=35 * MB, instruction="COPY dist /app/dist"),
        ),
        owners=(
            OwnerSpace(owner=Owner(kind=OwnerKind.PYTHON, name="torch", version="2.4.0"), bytes=268 * MB,
                       files=9123, masked_bytes=0, masked_files=0),
            OwnerSpace(owner=Owner(kind=OwnerKind.DPKG, name="git", version="1:2.39.5"), bytes=41 * MB,
                       files=700, masked_bytes=0, masked_files=0),
        ),
        boxes=boxes(),
        growth=Difference(
            before=f"tale-{service}:1.4.0", after=f"tale-{service}:dev",
            totals=(Total(name="unpacked", before=370 * MB, after=412 * MB),
                    Total(name="visible", before=360 * MB, after=398 * MB)),
            settings=(), layers=LayerDifference(shared=(), removed=(), added=()), files=None, owners=(change,),
            update=Update(previous=f"tale-{service}:1.4.0", bytes=180 * MB, compressed=True, estimated=True,
                          pulled=("sha256:" + "2" * 64,), kept=("sha256:" + "1" * 64,)),
        ),
    )  # fmt: skip


def stack() -> StackRun:
    """A stack of which one service did not come up."""

    def life(service: str, state: State, **values: object) -> ServiceRun:
        return dataclasses.replace(
            ServiceRun(service=service, span=SPAN, state=state, has_health_check=True),
            **values,  # type: ignore[arg-type]  # fields of a run
        )

    return StackRun(
        name="hullmark-tale-0", seconds=21.0,
        services=(
            life("db", State.HEALTHY, created=0.2, started=0.5, healthy=6.4),
            life("migrate", State.COMPLETED, created=0.3, started=6.5, ended=8.9, exit_code=0),
            life("web", State.HEALTHY, created=0.3, started=9.0, healthy=14.2),
            life("crawler", State.EXITED, created=0.3, started=9.0, ended=11.7, exit_code=1,
                 log=("Traceback (most recent call last):", "ModuleNotFoundError: No module named 'lxml'")),
        ),
        probes=(ProbeRun(service="web", probe=HttpProbe(path="/health", port=8000, origin=SPAN), passed=True,
                         seen="200 in 12 ms", seconds=0.012),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def report() -> Report:
    """A report with something of everything."""
    found = (
        finding("root-user", Severity.ERROR, location=ImageConfig(image="tale-web:dev", key="User")),
        finding("unpinned-base-image", Severity.WARNING, summary="base image is not pinned to a digest",
                seen="`debian:bookworm-slim`", expected="a digest", remedy="append the digest to the FROM"),
        finding("world-writable", Severity.NOTE, summary="file that everybody may write to", service="crawler",
                location=ImagePath(image="tale-crawler:dev", path="/var/lib/app/cache.db", layer=2),
                origin=SourceSpan(path="docker/crawler/Dockerfile", line=21), seen="mode 0666",
                expected="mode 0644", remedy="`chmod 644` where it is made"),
    )  # fmt: skip
    results = (
        CheckResult(check=Check.LINT, service="web", outcome=Ran(findings=found[1:2]), seconds=0.2),
        CheckResult(check=Check.LINT, service="crawler", outcome=Ran(), seconds=0.2),
        CheckResult(check=Check.VALIDATE, service="web", outcome=Ran(findings=found[:1]), seconds=3.1),
        CheckResult(check=Check.VALIDATE, service="crawler", outcome=Ran(findings=found[2:]), seconds=2.0),
        CheckResult(check=Check.SMOKE, service="web", outcome=Ran()),
        CheckResult(
            check=Check.SMOKE, service="crawler", outcome=Broken(error="`crawler` exited with code 1")
        ),
        CheckResult(check=Check.SCAN, service="web", outcome=Ran()),
        CheckResult(check=Check.SCAN, service="crawler", outcome=Skipped(reason="no scanner is installed")),
    )
    now = dt.datetime(2026, 11, 2, 9, 30, tzinfo=dt.UTC)
    return Report(
        project="tale", root="/project", services=("crawler", "web"),
        checks=(Check.LINT, Check.VALIDATE, Check.SMOKE, Check.SCAN), started=now,
        finished=now + dt.timedelta(seconds=92), verdict=decide(results, Policy()), results=results,
        images=(image("web"), image("crawler", 400 * MB)), stack=stack(),
        vulnerabilities=(
            Vulnerability(id="CVE-2026-0001", aliases=(), package="openssl", installed="3.0.14-1~deb12u2",
                          fixed="3.0.16-1~deb12u1", severity="critical", service="web", layer=None,
                          status="fixed", base="debian:bookworm-slim", remedy="take a newer `debian:bookworm-slim`"),
            Vulnerability(id="CVE-2026-0417", aliases=(), package="jinja2", installed="3.1.2", fixed=None,
                          severity="medium", service="crawler", layer="sha256:" + "2" * 64, status="affected",
                          path="/usr/lib/python3.11/jinja2-3.1.2.dist-info"),
        ),
        suppressed=found[2:],
        rules=(RuleText(id="root-user", summary="image runs as root", severity=Severity.ERROR,
                        page="What it checks\n    The user of the image.\n"),),
    )  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium."""
    provide = Path(__file__).parents[2] / "scripts" / "browser"
    program = subprocess.run([provide], check=True, capture_output=True, text=True).stdout.strip()
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield found
        found.close()


@pytest.fixture
def open_report(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Opens a report in a window `width` wide; at the end, it must have asked for nothing and complained of nothing."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(report: Report, *, width: int = 1280, dark: bool = False, scripts: bool = True) -> Page:
        file = tmp_path / f"report-{len(contexts)}.html"
        file.write_text("".join(render("html", report, Style())), encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: None if asked.url == file.as_uri() else wrong.append(asked.url))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
