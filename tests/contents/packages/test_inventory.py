"""An inventory says what brought each package, what it is called elsewhere, and what could not be named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from packageurl import PackageURL
from tests.contents.packages.conftest import elf_of, image_of, names, zip_of

from hullmark._anatomy import dissect
from hullmark._contents.inventory import inventory
from hullmark._contents.packages.found import find_embedded
from hullmark._contents.purl import purl_of
from hullmark.model.inventory import Distribution
from hullmark.model.owner import Owner, OwnerKind, Package
from hullmark.model.table import FileTable

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory

DEBIAN = Distribution(id="debian", version_id="12", codename="bookworm")


def status(*packages: tuple[str, str]) -> str:
    """A database of dpkg."""
    return "\n".join(
        f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {version}\n"
        for name, version in packages
    )


def layers(found: TakeInventory, *states: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """By package the layer that brought it, counted from 1, when the layers write those states."""
    made = found(*({"/var/lib/dpkg/status": status(*each)} if each else {"/x": "y"} for each in states))
    return {
        package.owner.name: int(package.layer.text.removeprefix("sha256:"), 16)
        for package in made.packages
        if package.layer is not None
    }


def test_the_layer_of_a_package_is_not_that_which_wrote_the_database_last(taken: TakeInventory) -> None:
    first, second = ("libc6", "2.36"), ("curl", "7.88")
    assert layers(taken, (first,), (first, second), ()) == {"libc6": 1, "curl": 2}


def test_an_upgrade_is_of_the_layer_that_made_it(taken: TakeInventory) -> None:
    assert layers(taken, (("a", "1"), ("b", "1")), (("a", "2"), ("b", "1"))) == {"a": 2, "b": 1}


def test_what_was_removed_and_came_again_is_of_the_later_layer(taken: TakeInventory) -> None:
    assert layers(taken, (("a", "1"),), (("b", "1"),), (("a", "1"), ("b", "1"))) == {"a": 3, "b": 2}


def test_a_python_distribution_is_of_the_layer_that_describes_it(taken: TakeInventory) -> None:
    place = "/usr/lib/python3/dist-packages/it-{}.dist-info/METADATA"
    one, two = ({place.format(v): f"Name: it\nVersion: {v}\n"} for v in ("1", "2"))
    found = taken(one, {place.format("1"): None, **two})
    assert [(str(each.owner), each.layer and each.layer.text[-1]) for each in found.packages] == [
        ("it 2", "2")
    ]


def test_every_package_has_an_origin_and_a_url(taken: TakeInventory) -> None:
    found = taken(
        {
            "/etc/os-release": "ID=debian\nVERSION_ID=12\n",
            "/var/lib/dpkg/status": status(("libc6", "2.36-9+deb12u4")),
            "/app/node_modules/@scope/it/package.json": '{"name": "@scope/it", "version": "1.0.0"}',
            "/app/lib/a-1.jar": zip_of({"x": "y"}),
        }
    )
    assert [package.purl for package in found.packages] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12",
        "pkg:maven/a@1",
        "pkg:npm/%40scope/it@1.0.0",
    ]
    assert all(package.origin is not None for package in found.packages)
    assert found.counts == {OwnerKind.DPKG: 1, OwnerKind.JAVA: 1, OwnerKind.NPM: 1}


def test_programs_of_packages_are_known_and_others_are_named(taken: TakeInventory) -> None:
    plain = elf_of({".text": b"x"})
    found = taken(
        {
            "/var/lib/dpkg/status": status(("tool", "1")),
            "/var/lib/dpkg/info/tool.list": "/.\n/usr/bin/tool\n/usr/share/java/tool.jar\n",
            "/usr/bin/tool": plain,
            "/usr/share/java/tool.jar": b"damaged",
            "/usr/local/bin/other": plain,
            "/usr/local/lib/libother.so": plain,
            "/root/script": "#!/bin/sh\n",
        }
    )
    assert [each.path for each in found.unrecognised] == [
        "/usr/local/bin/other",
        "/usr/local/lib/libother.so",
    ]


def test_what_a_package_brought_says_so(taken: TakeInventory) -> None:
    found = taken(
        {
            "/var/lib/dpkg/status": status(("libfoo-java", "1")),
            "/var/lib/dpkg/info/libfoo-java.list": "/.\n/usr/share/java/foo-1.jar\n",
            "/usr/share/java/foo-1.jar": zip_of({"x": "y"}),
        }
    )
    [jar] = [package for package in found.packages if package.owner.kind is OwnerKind.JAVA]
    assert str(jar.part_of) == "libfoo-java 1"


def test_only_what_can_be_seen_counts_and_that_once(taken: TakeInventory) -> None:
    jar = zip_of({"x": "y"})
    assert not taken({"/a-1.jar": jar}, {"/a-1.jar": None}).packages
    assert names(taken({"/a-1.jar": jar, "/b-1.jar": "= /a-1.jar"}), "java") == [("a", "1")]
    linked = taken({"/a-1.jar": jar, "/b-1.jar": "= /a-1.jar"}, {"/a-1.jar": None})
    assert [(each.owner.name, each.location) for each in linked.packages] == [("a", "/b-1.jar")]


def test_a_file_that_is_too_large_is_named(taken: TakeInventory) -> None:
    image = image_of({"/big.jar": "x", "/big": "x", "/data": "x"})
    table = image.layers[0].table
    entries = [
        replace(each, size=(1 << 28) + 1, mode=0o755 if each.path == "/big" else 0o644) for each in table
    ]
    anatomy = dissect(
        replace(image, layers=(replace(image.layers[0], table=FileTable.of(entries), captured={}),))
    )
    _, missed = find_embedded(anatomy.files, anatomy.ownership)
    assert [each.path for each in missed] == ["/big.jar", "/big"]
    assert [each.path for each in inventory(anatomy).unrecognised] == ["/big", "/big.jar"]
    assert "more than are looked at" in missed[0].reason
    assert not taken({}).packages


@pytest.mark.parametrize(
    ("kind", "name", "version", "url"),
    [
        (
            OwnerKind.DPKG,
            "libstdc++6",
            "12.2.0-14",
            "pkg:deb/debian/libstdc%2B%2B6@12.2.0-14?distro=debian-12",
        ),
        (OwnerKind.APK, "musl", "1.2.5-r0", "pkg:apk/debian/musl@1.2.5-r0?distro=debian-12"),
        (OwnerKind.RPM, "Perl", "4:5.26-1", "pkg:rpm/debian/Perl@5.26-1?distro=debian-12&epoch=4"),
        (OwnerKind.PYTHON, "Flask_SQL.Alchemy", "3", "pkg:pypi/flask-sql-alchemy@3"),
        (OwnerKind.NPM, "@types/node", "20.0.0", "pkg:npm/%40types/node@20.0.0"),
        (OwnerKind.GO, "golang.org/x/net", "v0.1.0", "pkg:golang/golang.org/x/net@v0.1.0"),
        (OwnerKind.GO, "stdlib", "", "pkg:golang/stdlib"),
        (OwnerKind.JAVA, "org.a:b", "1", "pkg:maven/org.a/b@1"),
        (OwnerKind.RUST, "serde", "1.0.0+x", "pkg:cargo/serde@1.0.0%2Bx"),
        (OwnerKind.RUNTIME, "node", "22.1.0", "pkg:generic/node@22.1.0"),
    ],
)
def test_a_package_url_is_what_the_library_for_them_writes(
    kind: OwnerKind, name: str, version: str, url: str
) -> None:
    package = Package(owner=Owner(kind=kind, name=name, version=version), location="/x")
    assert purl_of(package, DEBIAN) == url
    assert PackageURL.from_string(url).to_string() == url


@pytest.mark.parametrize(
    ("source", "version", "upstream"),
    [
        ("glibc", "2.36", "glibc"),
        ("glibc", "1:2.36", "glibc@1:2.36"),
        ("it", "2.36", None),
        ("it", "2.35", "it@2.35"),
        ("", "", None),
    ],
)
def test_the_source_of_a_package_is_named_where_it_differs(
    source: str, version: str, upstream: str | None
) -> None:
    package = Package(
        owner=Owner(kind=OwnerKind.DPKG, name="it", version="2.36"),
        location="/x",
        source=source,
        source_version=version,
        architecture="amd64",
    )
    parsed = PackageURL.from_string(purl_of(package, None))
    expected = {"arch": "amd64"} | ({"upstream": upstream} if upstream else {})
    assert parsed.qualifiers == expected


def test_names_that_no_package_has_give_a_url_or_none() -> None:
    odd = Package(owner=Owner(kind=OwnerKind.PYTHON, name="x\udc80 /?#", version="1\n"), location="/x")
    assert purl_of(odd, None) == "pkg:pypi/x%80%20%2F%3F%23@1%0A"
    assert purl_of(replace(odd, owner=Owner(kind=OwnerKind.NPM, name="@/")), None) == ""
    assert purl_of(replace(odd, owner=Owner(kind=OwnerKind.DIRECTORY, name="/srv")), None) == ""
