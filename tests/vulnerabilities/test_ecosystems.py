"""Which records are about the packages of an image: by distribution and release, by language, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.vulnerabilities.conftest import debian, inventory, python, record

from hullmark._vulnerabilities.ecosystems import ECOSYSTEMS, USUAL, ecosystem, of_distribution
from hullmark._vulnerabilities.lookup import needed
from hullmark._vulnerabilities.match import match
from hullmark.errors import UsageError
from hullmark.model.inventory import Distribution
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._vulnerabilities.store import Store


@pytest.mark.parametrize(
    ("name", "version", "release", "fits", "does_not"),
    [
        ("debian", "12", "Debian:12", ["12"], ["", "1", "11", "13", "120"]),
        ("raspbian", "12", "Debian:12", ["12"], ["13"]),
        (
            "ubuntu",
            "24.04",
            "Ubuntu:24.04",
            ["24.04:LTS", "24.04"],
            ["Pro:24.04:LTS", "24.10", "22.04:LTS", ""],
        ),
        ("ubuntu", "25.10", "Ubuntu:25.10", ["25.10"], ["25.04"]),
        ("alpine", "3.20.3", "Alpine:v3.20", ["v3.20"], ["v3.2", "v3.21", "edge", ""]),
        ("alpine", "3.23_alpha20250612", "Alpine:edge", ["edge"], ["v3.23"]),
        ("wolfi", "20230201", "Wolfi", [""], ["1"]),
        ("chainguard", "", "Chainguard", [""], ["1"]),
        (
            *("rhel", "9.4", "Red Hat:enterprise_linux:9"),
            ["enterprise_linux:9::appstream", "enterprise_linux:9::baseos"],
            ["rhel_eus:9.2::baseos", "enterprise_linux:8::baseos", "enterprise_linux", "openshift:4.9"],
        ),
        ("rocky", "9.4", "Rocky Linux:9", ["9"], ["8", ""]),
        ("almalinux", "8.10", "AlmaLinux:8", ["8"], ["9"]),
        (
            *("sles", "15.6", "SUSE:Linux Enterprise Server 15 SP6"),
            ["Linux Enterprise Server 15 SP6", "Linux Enterprise Module for Basesystem 15 SP6"],
            [
                "Linux Enterprise Server 15 SP5",
                "Linux Enterprise Server 15 SP5-LTSS",
                "Manager Server 15 SP6",
            ],
        ),
        ("sles", "16.0", "SUSE:Linux Enterprise Server 16.0", ["Linux Enterprise Server 16.0"], ["16.0"]),
        ("opensuse-leap", "15.6", "openSUSE:Leap 15.6", ["Leap 15.6"], ["Leap 15.5", "Tumbleweed"]),
        ("opensuse-tumbleweed", "20260101", "openSUSE:Tumbleweed", ["Tumbleweed"], ["Leap 15.6"]),
        ("openeuler", "24.03", "openEuler:24.03", ["24.03"], ["22.03"]),
        ("azurelinux", "3.0", "Azure Linux:3", ["3"], ["2"]),
        ("photon", "5.0", "Photon OS:5.0", ["5.0"], ["4.0"]),
        ("mageia", "9", "Mageia:9", ["9"], ["8"]),
    ],
)
def test_a_distribution_has_the_records_of_its_release_and_of_no_other(
    name: str, version: str, release: str, fits: list[str], does_not: list[str]
) -> None:
    found = of_distribution(Distribution(id=name, version_id=version))
    assert found is not None
    assert str(found) == release
    assert [each for each in (*fits, *does_not) if found.fits(each)] == fits


def test_a_derivative_is_known_by_the_code_name_of_what_it_derives_from() -> None:
    mint = Distribution(id="linuxmint", version_id="22", codename="noble", id_like=("ubuntu", "debian"))
    assert str(of_distribution(mint)) == "Ubuntu:24.04"
    mx = Distribution(id="mx", version_id="23", codename="bookworm", id_like=("debian",))
    assert str(of_distribution(mx)) == "Debian:12"
    testing = Distribution(id="debian", codename="forky")
    assert str(of_distribution(testing)) == "Debian:14"


@pytest.mark.parametrize(
    "distribution",
    [
        Distribution(id="arch"),
        Distribution(id="debian"),
        Distribution(id="kali", version_id="2026.1", codename="kali-rolling", id_like=("debian",)),
        # Its releases are numbered otherwise than those of Red Hat.
        Distribution(id="amzn", version_id="2023", id_like=("fedora",)),
    ],
)
def test_of_a_distribution_without_records_nothing_is_guessed(distribution: Distribution) -> None:
    assert of_distribution(distribution) is None


def test_names_of_ecosystems_are_found_in_any_case_and_otherwise_the_nearest_is_named() -> None:
    assert ecosystem("pypi") is ECOSYSTEMS["PyPI"]
    assert set(USUAL) < set(ECOSYSTEMS)
    with pytest.raises(UsageError, match=r"no ecosystem `Debain`; did you mean `Debian`\?"):
        ecosystem("Debain")
    with pytest.raises(UsageError, match="no ecosystem `x`; known are AlmaLinux, Alpaquita, Alpine"):
        ecosystem("x")


def _of(kind: OwnerKind, name: str, version: str, purl: str = "") -> Package:
    return Package(owner=Owner(kind=kind, name=name, version=version), location="/x", purl=purl)


@pytest.mark.parametrize(
    ("family", "recorded", "package"),
    [
        ("PyPI", "Flask-SQLAlchemy", python("flask_sqlalchemy", "1.0")),
        ("PyPI", "zope.interface", python("Zope-Interface", "1.0.0")),
        ("npm", "@scope/shop", _of(OwnerKind.NPM, "@scope/shop", "1.0.0")),
        (
            "Go",
            "github.com/Shop/shop",
            _of(OwnerKind.GO, "github.com/Shop/shop", "v1.2.3-0.20240101000000-abcdef123456"),
        ),
        ("Go", "stdlib", _of(OwnerKind.GO, "stdlib", "go1.22.1")),
        ("crates.io", "shop", _of(OwnerKind.RUST, "shop", "1.0.0-rc.1")),
        ("Maven", "org.shop:shop", _of(OwnerKind.JAVA, "org.shop:shop", "1.0.Final")),
        (
            "NuGet",
            "Newtonsoft.Json",
            _of(OwnerKind.DIRECTORY, "newtonsoft.json", "1.0.3", "pkg:nuget/newtonsoft.json@1.0.3"),
        ),
        ("RubyGems", "rack", _of(OwnerKind.DIRECTORY, "rack", "1.6.13", "pkg:gem/rack@1.6.13")),
        (
            "Packagist",
            "symfony/http-kernel",
            _of(
                OwnerKind.DIRECTORY,
                "Symfony/http-kernel",
                "v1.4.20",
                "pkg:composer/symfony/http-kernel@v1.4.20",
            ),
        ),
    ],
)
def test_a_package_of_a_language_is_found_however_its_name_is_written(
    stored: Callable[..., Store], family: str, recorded: str, package: Package
) -> None:
    store = stored(record("X-1", recorded, ecosystem=family, fixed="2.0"), ecosystem=family)
    (one,) = match(inventory(package), store).matches
    assert (one.id, one.ecosystem, one.fixed) == ("X-1", family, ("2.0",))
    assert [each.name for each in needed(inventory(package))] == [family]


def test_records_about_the_registry_of_somebody_else_are_not_about_the_public_one(
    stored: Callable[..., Store],
) -> None:
    store = stored(
        record("X-1", "org.shop:shop", ecosystem="Maven:https://maven.example.com/"),
        record("X-2", "org.shop:shop", ecosystem="Maven"),
        ecosystem="Maven",
    )
    found = match(inventory(_of(OwnerKind.JAVA, "org.shop:shop", "1.0")), store).matches
    assert [each.id for each in found] == ["X-2"]


def test_alpine_is_asked_for_the_origin_of_a_package(stored: Callable[..., Store]) -> None:
    store = stored(
        record("ALPINE-CVE-2026-0001", "openssl", ecosystem="Alpine:v3.20", fixed="3.3.2_git1-r0"),
        ecosystem="Alpine",
    )
    package = Package(
        owner=Owner(kind=OwnerKind.APK, name="libssl3", version="3.3.2-r0"),
        location="/lib/apk/db/installed",
        source="openssl",
        source_version="3.3.2-r0",
    )
    (one,) = match(
        inventory(package, distribution=Distribution(id="alpine", version_id="3.20.9")), store
    ).matches
    assert (one.id, one.package, one.fixed) == ("CVE-2026-0001", "openssl", ("3.3.2_git1-r0",))


@pytest.mark.parametrize(
    ("family", "recorded", "distribution"),
    [
        # The name of the source, and that of the binary package.
        ("Rocky Linux", "openssl", Distribution(id="rocky", version_id="9.4")),
        ("AlmaLinux", "openssl-libs", Distribution(id="almalinux", version_id="9.4")),
        ("Red Hat", "openssl-libs", Distribution(id="rhel", version_id="9.4")),
    ],
)
def test_rpm_packages_are_found_by_their_source_and_by_themselves(
    stored: Callable[..., Store], family: str, recorded: str, distribution: Distribution
) -> None:
    release = "enterprise_linux:9::baseos" if family == "Red Hat" else "9"
    store = stored(
        record(
            "RHSA-2026:1",
            recorded,
            ecosystem=f"{family}:{release}",
            fixed="1:3.0.7-28.el9",
            related=["CVE-2026-0001", "CVE-2026-0002"],
        ),
        ecosystem=family,
    )
    package = Package(
        owner=Owner(kind=OwnerKind.RPM, name="openssl-libs", version="1:3.0.7-27.el9"),
        location="/var/lib/rpm/rpmdb.sqlite",
        source="openssl",
        source_version="1:3.0.7-27.el9",
    )
    found = match(inventory(package, distribution=distribution), store).matches
    assert [(each.id, each.package) for each in found] == [
        ("CVE-2026-0001", "openssl"),
        ("CVE-2026-0002", "openssl"),
    ]


def test_what_an_image_needs_is_told_without_anything_stored() -> None:
    packages = (debian("bash", "5.2"), python("shop", "1"), _of(OwnerKind.RUNTIME, "node", "22"))
    assert [each.name for each in needed(inventory(*packages))] == ["Debian", "PyPI"]
