"""A baseline in a file says what it was made of, changes with nothing else, and is read strictly."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hullmark._baseline.lines import LARGEST, is_baseline, read, write
from hullmark._baseline.reports import of_report
from hullmark._baseline.store import of_service
from hullmark.errors import ConfigurationError
from hullmark.model.baseline import Baseline, KnownFinding, KnownImage, KnownVulnerability
from hullmark.model.difference import Contents, Holding, LayerSize
from hullmark.model.inventory import Distribution, Inventory
from hullmark.model.outcome import Check
from hullmark.model.owner import Owner, OwnerKind, Package

LIBC = Owner(kind=OwnerKind.DPKG, name="libc6", version="2.36-9")
HEAD = b'["hullmark/baseline/1"]\n'


def package(name: str, **change: Any) -> Package:
    owner = Owner(kind=OwnerKind.DPKG, name=name, version="1")
    return Package(owner=owner, location="/var/lib/dpkg/status", source=name, source_version="1", **change)


def image(service: str = "web", **change: Any) -> KnownImage:
    held: dict[str, Any] = {
        "reference": "shop/web:dev",
        "unpacked": 120,
        "visible": 100,
        "transfer": 50,
        "settings": (("Env.PATH", "/bin"), ("User", "app")),
        "layers": tuple(
            LayerSize(diff_id=f"sha256:{n:064x}", unpacked=n, text=f"RUN {n}") for n in range(12)
        ),
        "holdings": (Holding(kind=OwnerKind.DPKG, name="libc6", version="2.36-9", bytes=100, files=3),),
    }
    return KnownImage(
        service=service,
        contents=Contents(**{**held, **change}),
        platform="linux/amd64",
        inventory=Inventory(
            packages=(package("curl"), package("zlib1g", part_of=LIBC, purl="pkg:deb/debian/zlib1g@1")),
            distribution=Distribution(
                id="debian", version_id="12", codename="bookworm", id_like=("x",), name="D"
            ),
        ),
    )


def baseline(*images: KnownImage) -> Baseline:
    return Baseline(
        name="it",
        images=images or (image(),),
        findings=(
            KnownFinding(
                fingerprint="a:1", rule="root-user", severity="error", service="web", check="validate"
            ),
            KnownFinding(fingerprint="b:1", rule="unused-ignore", severity="note"),
        ),
        vulnerabilities=(
            KnownVulnerability(
                service="web", id="CVE-1", aliases=("A", "B"), package="curl", installed="1", severity="high"
            ),
        ),
        looked=frozenset({(Check.LINT, "web"), (Check.SMOKE, None)}),
    )


def told(known: Baseline) -> Any:
    """All that it says, to be compared."""
    return (
        [
            (each.service, each.platform, each.inventory, _contents(each.contents))
            for each in sorted(known.images, key=lambda each: each.service)
        ],
        sorted(known.findings, key=str),
        known.listed,
        known.vulnerabilities,
        known.looked,
    )


def _contents(held: Contents) -> Any:
    names = ("reference", "unpacked", "visible", "transfer", "settings", "layers", "holdings")
    return [getattr(held, name) for name in names]


@pytest.mark.parametrize(
    "known",
    [
        baseline(),
        baseline(image(), image("db", visible=None, transfer=None, settings=None, holdings=None)),
        # Scanned, and not measured.
        Baseline(name="it", listed=(("web", Inventory(packages=(package("libc6"),))),)),
        Baseline(name="it"),
    ],
)
def test_what_is_written_is_read(known: Baseline) -> None:
    content = write(known)
    assert is_baseline(content)
    assert told(read(content, "it")) == told(known)
    assert write(read(content, "it")) == content


def test_one_change_changes_the_lines_about_it_and_no_other() -> None:
    before = write(baseline()).splitlines()
    after = write(
        baseline(image(unpacked=130, settings=(("Env.PATH", "/bin"), ("User", "root"))))
    ).splitlines()
    assert sorted(set(before) - set(after)) == [
        b'["setting","web","User","app"]',
        b'["size","web","unpacked",120]',
    ]
    assert sorted(set(after) - set(before)) == [
        b'["setting","web","User","root"]',
        b'["size","web","unpacked",130]',
    ]


def test_facts_stand_in_an_order_of_their_own() -> None:
    known = baseline(image(), image("db"))
    turned = Baseline(
        name="it",
        images=known.images[::-1],
        findings=known.findings[::-1],
        vulnerabilities=known.vulnerabilities,
        looked=known.looked,
    )
    assert write(turned) == write(known)
    numbers = [
        json.loads(line)[2] for line in write(known).splitlines() if line.startswith(b'["layer","web"')
    ]
    assert numbers == list(range(12))


def test_the_conflict_of_a_merge_is_called_one_and_says_what_to_do() -> None:
    head, _, rest = write(baseline(image())).partition(b"\n")
    with pytest.raises(ConfigurationError) as caught:
        read(head + b"\n<<<<<<< HEAD\n" + rest + b">>>>>>> main\n", "hullmark.baseline")
    assert str(caught.value.problems[0]) == "hullmark.baseline:2: a merge has left its conflict here"
    assert "hullmark baseline save" in str(caught.value.hint)


def test_lines_that_a_merge_has_brought_twice_count_once() -> None:
    lines = write(baseline()).splitlines(keepends=True)
    assert told(read(b"".join([*lines, b"\n", *lines[3:9]]), "it")) == told(baseline())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ":1: no baseline of this version"),
        (b'["hullmark/baseline/2"]\n', r":1: no baseline of this version.*baseline/2"),
        (HEAD + b'["size","web","unpacked",-1]\n', ":2: no fact"),
        (HEAD + b'["looked","web","lint"]\n["planet","earth"]\n', ":3: no fact"),
        (HEAD + b'["size","web","unpacked",1,2]\n', ":2: no fact"),
        (HEAD + b'["size","web"]\n', ":2: no fact"),
        (HEAD + b'{"size":"web"}\n', ":2: no fact"),
        (HEAD + b"\xff\xfe\n", ":2: no fact"),
        (HEAD + b"[" * 100_000 + b"\n", ":2: no fact"),
        (HEAD + b'["image","web","a","b"]\n', "expected one image with its `unpacked` size"),
        (
            HEAD + b'["image","web","a","b"]\n["image","web","c","b"]\n["size","web","unpacked",1]',
            "two images",
        ),
        (
            HEAD + b'["image","web","a","b"]\n["size","web","unpacked",1]\n["size","web","unpacked",2]',
            "two images",
        ),
        (HEAD + b'["image","web","a","b"]\n["size","web","unpacked",1]\n["size","web","depth",2]', "depth"),
        (HEAD + b"<<<<<<< HEAD\n", ":2: a merge has left its conflict here"),
        (b" " * (LARGEST + 1), "more than 64 MiB"),
    ],
)
def test_what_is_no_baseline_is_refused_with_one_error(content: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        read(content, "it.jsonl")
    assert len(caught.value.problems) == 1


@given(st.binary(max_size=200), st.integers(0, 2000))
def test_whatever_a_file_holds_it_is_a_baseline_or_one_error(more: bytes, at: int) -> None:
    whole = write(baseline())
    damaged = whole[:at] + more + whole[at:]
    with suppress(ConfigurationError):
        assert told(read(damaged, "it"))


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff", b"[" * 100_000, b'{"schema": "hullmark/size/1"}', b'{"schema": 3}'],
)
def test_what_is_no_report_is_refused_with_one_error(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="neither a baseline nor a report"):
        of_report(content, "it.json")


def test_of_what_does_not_count_only_kernel_headers_are_left_out() -> None:
    found = [
        {"id": name, "package": "p", "installed": "1", "severity": "low", "service": "web", "held": held}
        for name, held in (("CVE-1", "kernel headers"), ("CVE-2", "no fix"), ("CVE-3", None))
    ]
    report = {"schema": "hullmark/report/1", "outcomes": [], "findings": [], "vulnerabilities": found}
    # What has no fix today may have one tomorrow, and is no news then.
    assert [each.id for each in of_report(json.dumps(report).encode(), "it").vulnerabilities] == [
        "CVE-2",
        "CVE-3",
    ]


def test_a_part_of_it_is_about_one_service_and_the_project() -> None:
    known = of_service(baseline(image(), image("db")), "db")
    assert [each.service for each in known.images] == ["db"]
    assert [each.rule for each in known.findings] == ["unused-ignore"]
    assert not known.vulnerabilities
    assert known.looked == {(Check.SMOKE, None)}
