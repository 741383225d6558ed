"""What is made of what scanners say: places, one list, what counts, and what to do."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from hullmark._checks.findings import apply
from hullmark._scanners.actions import with_actions
from hullmark._scanners.declared import Declarations
from hullmark._scanners.merge import merged
from hullmark._scanners.places import Places, identity, is_same
from hullmark._scanners.policy import HEADERS, NO_FIX, decided, young
from hullmark.model.attribution import Origin, Told
from hullmark.model.context import Manifest
from hullmark.model.digest import DiffId
from hullmark.model.finding import Severity
from hullmark.model.inventory import Inventory
from hullmark.model.location import SourceSpan
from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.project import ScanSettings
from hullmark.model.vulnerability import Exposure, Vulnerability

if TYPE_CHECKING:
    from pathlib import Path

BASE, OWN = DiffId(f"sha256:{'a' * 64}"), DiffId(f"sha256:{'b' * 64}")
RUN = Origin(told=Told.INSTRUCTION, text="RUN pip install .")
SSL = Package(
    owner=Owner(kind=OwnerKind.DPKG, name="libssl3", version="3.0.15-1+b1"),
    location="/var/lib/dpkg/status",
    source="openssl",
    source_version="3.0.15-1",
    layer=BASE,
)
JINJA = Package(
    owner=Owner(kind=OwnerKind.PYTHON, name="Jinja2", version="2.11.2"),
    location="/usr/lib/python3.11/site-packages/Jinja2-2.11.2.dist-info/METADATA",
    layer=OWN,
    origin=RUN,
    why=("flask", "Jinja2"),
)
INVENTORY = Inventory(packages=(SSL, JINJA))
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def _found(name: str = "CVE-2026-1", **more: Any) -> Vulnerability:
    values: dict[str, Any] = {
        "id": name,
        "aliases": (),
        "package": "libssl3",
        "installed": "3.0.15-1+b1",
        "fixed": "3.0.16-1",
        "severity": "high",
        "service": "web",
        "layer": None,
        "status": "fixed",
        "ecosystem": "Debian",
        "seen_by": ("trivy",),
    }
    return Vulnerability(**{**values, **more})


def _python(name: str = "CVE-2026-1", **more: Any) -> Vulnerability:
    language = {"package": "jinja2", "installed": "2.11.2", "ecosystem": "PyPI", "path": JINJA.location}
    return _found(name, **{"fixed": "3.1.6", **language, **more})


def test_a_binary_package_is_told_by_its_source_with_layer_and_base() -> None:
    placed = Places(INVENTORY, base="debian:bookworm-slim", base_layers=[str(BASE)]).placed(_found())
    assert (placed.package, placed.installed, placed.layer) == ("openssl", "3.0.15-1", str(BASE))
    assert (placed.base, placed.holders) == ("debian:bookworm-slim", (SSL,))


def test_what_the_project_brought_is_its_own_with_the_instruction() -> None:
    placed = Places(INVENTORY, base="debian:bookworm-slim", base_layers=[str(BASE)]).placed(_python())
    assert (placed.base, placed.origin, placed.layer) == ("", RUN, str(OWN))


def test_a_base_that_was_squashed_is_told_by_who_wrote_the_package() -> None:
    squash = Origin(
        told=Told.COPY,
        text="COPY --from=runtime / /",
        source=Origin(told=Told.BASE, text="FROM debian:12", base="debian:12"),
    )
    package = Package(owner=SSL.owner, location=SSL.location, source="openssl", layer=OWN, origin=squash)
    assert Places(Inventory(packages=(package,))).placed(_found()).base == "debian:12"


def test_scanners_that_share_a_name_of_it_have_seen_one_vulnerability() -> None:
    places = Places(INVENTORY)
    said = (
        _found("CVE-2026-1", aliases=("DSA-1-1",)),
        _found("CVE-2026-2", aliases=("DSA-1-1",)),
        _found(
            "DEBIAN-CVE-2026-1",
            aliases=("CVE-2026-1",),
            package="openssl",
            installed="3.0.15-1",
            seen_by=("embedded",),
        ),
        _python("GHSA-x", aliases=("CVE-2026-1",), seen_by=("grype",)),
    )
    found = merged(places.placed(each) for each in said)
    assert {(each.id, each.package, each.seen_by) for each in found} == {
        ("CVE-2026-1", "openssl", ("embedded", "trivy")),
        ("CVE-2026-2", "openssl", ("trivy",)),
        ("CVE-2026-1", "jinja2", ("grype",)),
    }
    assert merged(found) == found
    assert merged(reversed(found)) == found


def test_one_scanner_that_knows_of_exploits_is_believed_whatever_the_others_say() -> None:
    said = (
        _found(seen_by=("embedded",), exploited=False, likelihood=0.1),
        _found(seen_by=("trivy",)),
        _found(seen_by=("grype",), exploited=True, likelihood=0.9),
    )
    (one,) = merged(said)
    assert (one.exploited, one.likelihood) == (True, 0.9)
    (finding,) = apply(Exposure(vulnerability=one, fail_on="never", image="web"), "web")
    assert "known to be exploited, EPSS 0.90" in finding.seen


def test_a_vulnerability_stays_the_same_over_versions_and_digests() -> None:
    one = _python(aliases=("GHSA-x",), layer="sha256:1")
    newer = JINJA.location.replace("3.11", "3.13").replace("2.11.2", "2.11.3")
    other = _python("GHSA-x", installed="2.11.3", path=newer, layer="sha256:2")
    assert is_same(identity(one), identity(other))
    assert not is_same(identity(one), identity(_python("CVE-2026-2")))
    assert not is_same(identity(one), identity(_python(path="/opt/app/Jinja2-2.11.2.dist-info/METADATA")))


@pytest.mark.parametrize(
    ("found", "settings", "held"),
    [
        (_found(), {}, ""),
        (_found(fixed=None, status="affected"), {}, NO_FIX),
        (_found(fixed=None, status="will_not_fix"), {}, f"{NO_FIX}: the distribution will not fix it"),
        (_found(fixed=None), {"fixable": False}, ""),
        (_found(package="linux-libc-dev"), {}, HEADERS),
        (_found(package="linux-libc-dev"), {"kernel_headers": True}, ""),
        (_found(package="linux-image-6.1"), {}, ""),
    ],
)
def test_what_does_not_count_says_why(found: Vulnerability, settings: dict[str, Any], held: str) -> None:
    assert decided(found, ScanSettings(**settings)).held == held


@pytest.mark.parametrize(
    ("published", "until"),
    [
        ("2026-11-20T00:00:00Z", dt.date(2026, 11, 27)),
        ("2026-11-20", dt.date(2026, 11, 27)),
        ("2026-11-17T00:00:00Z", None),
        ("", None),
        ("long ago", None),
    ],
)
def test_what_was_disclosed_within_the_days_of_grace_is_young(published: str, until: dt.date | None) -> None:
    settings = ScanSettings(grace=7 * 86400.0)
    assert young(_found(published=published), settings, NOW) == until
    assert young(_found(published=published), ScanSettings(), NOW) is None


@pytest.mark.parametrize(
    ("found", "fail_on", "grace", "severity"),
    [
        (_found(severity="critical"), "never", None, Severity.WARNING),
        (_found(severity="critical", fixed=None), "never", None, Severity.NOTE),
        (_found(severity="medium"), "never", None, Severity.NOTE),
        (_found(severity="high"), "high", None, Severity.ERROR),
        (_found(severity="high", fixed=None), "high", None, Severity.ERROR),
        (_found(severity="medium"), "high", None, Severity.NOTE),
        (_found(severity="unknown"), "low", None, Severity.NOTE),
        (_found(severity="critical"), "high", dt.date(2026, 11, 27), Severity.NOTE),
    ],
)
def test_what_fails_is_as_severe_as_was_decided_and_old_enough(
    found: Vulnerability, fail_on: str, grace: dt.date | None, severity: Severity
) -> None:
    exposure = Exposure(vulnerability=found, fail_on=fail_on, image="web", grace=grace)
    (finding,) = apply(exposure, "web")
    assert finding.severity is severity
    assert ("does not fail until 2026-11-27" in finding.seen) is (grace is not None)


def test_what_nothing_declares_is_told_with_the_instruction_that_brought_it() -> None:
    origin = Origin(
        told=Told.INSTRUCTION,
        text="RUN pip install --target /opt/py Django==2.2",
        span=SourceSpan(path="Dockerfile", line=3),
    )
    place, caddy = "/opt/py/Django-2.2.dist-info/METADATA", "/usr/bin/caddy"
    go = {"package": "stdlib", "ecosystem": "Go", "holders": (), "fixed": "1.25.13"}
    everything = (
        _python("CVE-1", package="Django", fixed="4.2.16", holders=(), path=place, origin=origin),
        _python("CVE-2", package="Django", fixed="4.2.16", holders=(), path="/a", origin=None),
        _python("CVE-3", path=caddy, origin=origin, **go),
        _python("CVE-4", path="/usr/bin/other", origin=None, **go),
    )
    texts = [with_actions([each], lambda *_: None)[0][0].remedy for each in everything]
    brought = "; Dockerfile:3: RUN pip install --target /opt/py Django==2.2 brought it"
    assert texts == [
        f"raise Django to 4.2.16 in {place}: nothing in the project declares it{brought}",
        "raise Django to 4.2.16 in /a: nothing in the project declares it",
        f"build {caddy} with Go 1.25.13{brought}",
        "build /usr/bin/other with Go 1.25.13",
    ]
    assert len(with_actions(everything, lambda *_: None)[1]) == 3


def test_one_change_is_told_for_each_group_with_what_it_fixes(tmp_path: Path) -> None:
    text = '[project]\ndependencies = [\n  "flask-extra>=1",\n  "Flask>=2",\n]\n'
    (tmp_path / "pyproject.toml").write_text(text, encoding="utf-8")
    manifest = Manifest(path="pyproject.toml", kind="python", names=("Flask", "flask-extra"))
    declared = Declarations(tmp_path, tmp_path, [manifest]).find
    everything = (
        _found("CVE-1", base="debian:12"),
        _found("CVE-2", base="debian:12", package="zlib"),
        _found("CVE-3", base="debian:12", fixed=None),
        _python("CVE-4", holders=(JINJA,)),
        _python("CVE-5", holders=(JINJA,), fixed="3.1.10"),
        _python("CVE-6", package="flask", fixed="2.2.5"),
    )
    told, actions = with_actions(everything, declared)
    flask = "raise flask to 2.2.5 in pyproject.toml:4"
    jinja = "raise jinja2 to 3.1.10, which flask in pyproject.toml:4 requires"
    assert [str(each) for each in actions] == [
        f"{jinja}: fixes 2",
        "rebuild on a newer debian:12: fixes 2",
        f"{flask}: fixes 1",
    ]
    base = "rebuild on a newer debian:12"
    assert [each.remedy for each in told] == [base, base, "", jinja, jinja, flask]
