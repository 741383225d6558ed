"""Reports of every shape."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import strategies as st

from hullmark._contents.difference import difference
from hullmark.model.baseline import Comparison, KnownFinding, KnownVulnerability, Standing
from hullmark.model.difference import Contents, Holding, LayerSize
from hullmark.model.finding import Finding, Severity
from hullmark.model.fix import Applicability, Fix, Fixed
from hullmark.model.location import ImageConfig, ImagePath, ServicePlace, SourceSpan
from hullmark.model.outcome import Broken, Check, CheckResult, Ran, Skipped
from hullmark.model.owner import Owner, OwnerKind
from hullmark.model.probe import ExecProbe, HttpProbe, TcpProbe
from hullmark.model.project import Link
from hullmark.model.report import ImageSummary, LayerSummary, Report
from hullmark.model.service_run import ServiceRun, State
from hullmark.model.space import OwnerSpace
from hullmark.model.stack import Kept, LinkRun, ProbeRun, StackRun, Unlinkable
from hullmark.model.verdict import Policy, decide
from hullmark.model.vulnerability import SEVERITIES, Vulnerability

# What images, logs and users hold: any character, control codes, and surrogates for bytes that are not UTF-8.
texts = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "\x1b[31mred\x1b[0m",
        "two\nlines",
        "[bold]no markup[/bold]",
        ":smile:",
        "\udcff.bin",
        "\r\rover",
        "a" * 300,
    ]
)
names = st.sampled_from(["web", "db", "a-service-with-a-long-name", "x"])
bytes_ = st.integers(0, 1 << 42)
seconds = st.floats(0, 10_000, allow_nan=False)
times = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2040, 1, 1), timezones=st.just(dt.UTC))  # noqa: DTZ001
diff_ids = st.binary(min_size=32, max_size=32).map(lambda raw: f"sha256:{raw.hex()}")
spans = st.builds(SourceSpan, path=texts, line=st.integers(1, 9999), column=st.integers(1, 200))
locations = st.one_of(
    spans,
    st.builds(ServicePlace, service=names),
    st.builds(ImagePath, image=texts, path=texts, layer=st.none() | st.integers(0, 100)),
    st.builds(ImageConfig, image=texts, key=texts),
)
findings = st.builds(
    Finding,
    rule=st.sampled_from(["root-user", "over-budget"]),
    summary=texts,
    severity=st.sampled_from(Severity),
    service=st.none() | names,
    location=locations,
    seen=texts,
    expected=texts,
    remedy=texts,
    fingerprint=st.just("0123456789abcdef"),
    aliases=st.sampled_from([(), ("DL3015",)]),
    standing=st.none() | st.sampled_from(Standing),
    fix=st.none()
    | st.builds(Fix, message=texts, edits=st.just(()), applicability=st.sampled_from(Applicability)),
)
several = st.lists(findings, max_size=4).map(tuple)
outcomes = st.one_of(
    st.builds(Ran, findings=several),
    st.builds(Skipped, reason=texts, moot=st.booleans()),
    st.builds(Broken, error=texts, findings=several),
)
results = st.builds(
    CheckResult,
    check=st.sampled_from(Check),
    service=st.none() | names,
    outcome=outcomes,
    seconds=seconds,
)
layers = st.builds(
    LayerSummary,
    diff_id=diff_ids,
    unpacked=bytes_,
    masked=bytes_,
    digest=st.none() | diff_ids,
    instruction=texts,
)
owners = st.builds(
    OwnerSpace,
    owner=st.builds(Owner, kind=st.sampled_from(OwnerKind), name=texts, version=texts),
    bytes=bytes_,
    files=st.integers(0, 1 << 20),
    masked_bytes=bytes_,
    masked_files=st.integers(0, 1 << 20),
)
images = st.builds(
    ImageSummary,
    service=names,
    reference=texts,
    digest=st.none() | diff_ids,
    config_digest=diff_ids,
    platform=st.just("linux/amd64"),
    transfer=st.none() | bytes_,
    unpacked=bytes_,
    visible=bytes_,
    budget=st.none() | st.integers(1, 1 << 42),
    layers=st.lists(layers, max_size=3).map(tuple),
    owners=st.lists(owners, max_size=3).map(tuple),
)
probes = st.one_of(
    st.builds(HttpProbe, path=texts, port=st.integers(1, 65535), origin=spans),
    st.builds(TcpProbe, port=st.integers(1, 65535), origin=spans),
    st.builds(ExecProbe, command=st.lists(texts, min_size=1, max_size=3).map(tuple), origin=spans),
)
links = st.builds(Link, from_service=names, to=texts, origin=spans)
lives = st.builds(
    ServiceRun,
    service=names,
    span=spans,
    state=st.sampled_from(State),
    has_health_check=st.booleans(),
    created=st.none() | seconds,
    started=st.none() | seconds,
    healthy=st.none() | seconds,
    answered=st.none() | seconds,
    unanswered=st.booleans(),
    ended=st.none() | seconds,
    recovered=st.none() | seconds,
    out_of_memory=st.booleans(),
    timed_out=st.booleans(),
    refusal=texts,
    waits_on=st.lists(names, max_size=2).map(tuple),
    log_lines=st.integers(0, 9999),
    restarts=st.integers(0, 9),
    exit_code=st.none() | st.integers(0, 255),
    health_output=texts,
    log=st.lists(texts, max_size=3).map(tuple),
)
stacks = st.builds(
    StackRun,
    name=st.just("hullmark-tale-01234567"),
    services=st.lists(lives, max_size=3).map(tuple),
    probes=st.lists(
        st.builds(ProbeRun, service=names, probe=probes, passed=st.booleans(), seen=texts, seconds=seconds),
        max_size=2,
    ).map(tuple),
    links=st.lists(
        st.builds(LinkRun, link=links, passed=st.booleans(), seen=texts, seconds=seconds), max_size=2
    ).map(tuple),
    untried=st.lists(st.builds(Unlinkable, link=links, reason=texts), max_size=2).map(tuple),
    seconds=seconds,
    teardown_error=st.none() | texts,
    kept=st.none() | st.builds(Kept, name=texts, services=st.just(())),
    artifacts=st.none() | texts,
)
vulnerabilities = st.builds(
    Vulnerability,
    id=st.just("CVE-2024-0001"),
    aliases=st.lists(texts, max_size=2).map(tuple),
    package=texts,
    installed=texts,
    fixed=st.none() | texts,
    severity=st.sampled_from(SEVERITIES),
    service=names,
    layer=st.none() | diff_ids,
    status=texts,
    standing=st.none() | st.sampled_from(Standing),
)
sides = st.builds(
    Contents,
    reference=texts,
    unpacked=bytes_,
    visible=st.none() | bytes_,
    settings=st.none() | st.dictionaries(texts, texts, max_size=3).map(lambda found: tuple(found.items())),
    layers=st.lists(st.builds(LayerSize, diff_id=diff_ids, unpacked=bytes_, text=texts), max_size=2).map(
        tuple
    ),
    holdings=st.none()
    | st.lists(
        st.builds(
            Holding,
            kind=st.sampled_from(OwnerKind),
            name=texts,
            version=texts,
            text=texts,
            bytes=bytes_,
            files=st.integers(0, 9),
        ),
        max_size=3,
    ).map(tuple),
)
comparisons = st.builds(
    Comparison,
    name=texts,
    first=st.booleans(),
    new_only=st.booleans(),
    fixed=st.lists(
        st.builds(KnownFinding, fingerprint=texts, rule=texts, severity=texts, service=st.none() | texts),
        max_size=2,
    ).map(tuple),
    gone=st.lists(
        st.builds(
            KnownVulnerability,
            **dict.fromkeys(("service", "id", "package", "installed", "severity"), texts),
            aliases=st.just(()),
        ),
        max_size=2,
    ).map(tuple),
    images=st.lists(st.tuples(names, st.builds(difference, sides, sides)), max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Any report, with the verdict that belongs to it."""
    done = tuple(draw(st.lists(results, max_size=5)))
    return Report(
        project=draw(texts),
        root="/project",
        services=tuple(sorted(draw(st.sets(names)))),
        checks=tuple(check for check in Check if any(result.check is check for result in done)),
        started=draw(times),
        finished=draw(times),
        verdict=decide(done, Policy()),
        results=done,
        images=tuple(draw(st.lists(images, max_size=2, unique_by=lambda image: image.service))),
        stack=draw(st.none() | stacks),
        vulnerabilities=tuple(draw(st.lists(vulnerabilities, max_size=2))),
        suppressed=draw(several),
        comparison=draw(st.none() | comparisons),
        fixed=draw(
            st.lists(
                st.builds(Fixed, location=spans, rule=st.just("root-user"), message=texts), max_size=2
            ).map(tuple)
        ),
    )


@pytest.fixture(scope="session")
def any_report() -> st.SearchStrategy[Report]:
    """The strategy, for tests that draw from it."""
    return reports()
