"""Archives of Java are looked into, also those in archives, and none takes more than it may."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from typing import TYPE_CHECKING

import pytest
from tests.contents.packages.conftest import names, zip_of

from hullmark._contents.packages import java, zips
from hullmark._contents.packages.java import read

if TYPE_CHECKING:
    from tests.contents.packages.conftest import TakeInventory


def pom(group: str, name: str, version: str) -> dict[str, str]:
    """What Maven writes into an archive."""
    text = f"#Generated\ngroupId={group}\nartifactId={name}\nversion={version}\n"
    return {f"META-INF/maven/{group}/{name}/pom.properties": text}


def manifest(**attributes: str) -> dict[str, str]:
    """A manifest; underscores stand for hyphens."""
    lines = [f"{key.replace('_', '-')}: {value}" for key, value in attributes.items()]
    return {"META-INF/MANIFEST.MF": "\r\n".join(["Manifest-Version: 1.0", *lines, "", "Name: x", ""])}


def told(path: str, content: bytes) -> list[tuple[str, str, str, str]]:
    """What is found in an archive: group, name, version and where."""
    return [
        (each.group, each.name, each.version, each.inside)
        for each in read(path, memoryview(content)).artifacts
    ]


def test_what_maven_wrote_counts(taken: TakeInventory) -> None:
    files = pom("org.apache.logging.log4j", "log4j-core", "2.14.1") | manifest(Implementation_Version="9")
    found = taken({"/app/lib/log4j-core-2.14.1.jar": zip_of(files)})
    assert names(found, "java") == [("org.apache.logging.log4j:log4j-core", "2.14.1")]
    assert found.packages[0].purl == "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"
    assert found.packages[0].location == "/app/lib/log4j-core-2.14.1.jar"


@pytest.mark.parametrize(
    ("path", "attributes", "expected"),
    [
        ("/a/guava-31.1-jre.jar", {}, ("", "guava", "31.1-jre")),
        (
            "/a/spring-core-5.3.20.jar",
            {"Implementation_Title": "spring-core", "Implementation_Version": "5.3.20"},
            ("", "spring-core", "5.3.20"),
        ),
        (
            "/a/lib.jar",
            {"Bundle_SymbolicName": "org.example.lib;singleton:=true", "Bundle_Version": "1.2.3"},
            ("", "lib", "1.2.3"),
        ),
        (
            "/a/x.jar",
            {
                "Implementation_Title": "Some Library",
                "Automatic_Module_Name": "org.some",
                "Implementation_Version": "4",
                "Implementation_Vendor_Id": "org.some.vendor",
            },
            ("org.some.vendor", "org.some", "4"),
        ),
        ("/a/plugin.hpi", {"Short_Name": "git", "Plugin_Version": "4.11"}, ("", "git", "4.11")),
    ],
)
def test_without_maven_the_name_and_the_manifest_tell(
    path: str, attributes: dict[str, str], expected: tuple[str, str, str]
) -> None:
    assert told(path, zip_of(manifest(**attributes))) == [(*expected, "")]


def test_a_long_line_of_a_manifest_goes_on_after_a_space() -> None:
    text = "Implementation-Title: long\n er\nImplementation-Version: 1.\n 5\n\nImplementation-Version: 9\n"
    assert told("/a/it.jar", zip_of({"META-INF/MANIFEST.MF": text})) == [("", "longer", "1.5", "")]


def test_archives_in_archives_are_found(taken: TakeInventory) -> None:
    inner = zip_of(pom("org.inner", "deep", "3"))
    library = zip_of(pom("com.example", "lib", "2") | {"lib/deep-3.jar": inner}, zipfile.ZIP_STORED)
    files = pom("com.example", "web", "1") | {"WEB-INF/lib/lib-2.jar": library}
    found = taken({"/srv/web.war": b"#!/bin/sh\nexec java -jar $0\n" + zip_of(files)})
    assert [(each.owner.name, each.location) for each in found.packages] == [
        ("com.example:lib", "/srv/web.war!/WEB-INF/lib/lib-2.jar"),
        ("com.example:web", "/srv/web.war"),
        ("org.inner:deep", "/srv/web.war!/WEB-INF/lib/lib-2.jar!/lib/deep-3.jar"),
    ]
    assert all(each.layer is not None and each.origin is not None for each in found.packages)


def test_an_archive_that_others_were_put_into_has_all_of_them() -> None:
    files = pom("a.b", "one", "1") | pom("c.d", "two", "2")
    assert told("/x/all-3.0.jar", zip_of(files)) == [
        ("a.b", "one", "1", ""),
        ("c.d", "two", "2", ""),
        ("", "all", "3.0", ""),
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no archive at all, and long enough", "no archive, or damaged"),
        (zip_of({"a": "b"})[:-30], "no archive, or damaged"),
        (zip_of({"META-INF/MANIFEST.MF": "x"}).replace(b"PK\x03\x04", b"XXXX"), "damaged"),
        (zip_of({"readme": "x"}), "nothing in it says what it is, and in which version"),
        (struct.pack("<4s8xIIH", b"PK\x05\x06", 1 << 31, 0, 0), "damaged"),
    ],
)
def test_what_cannot_be_looked_into_is_said(content: bytes, reason: str, taken: TakeInventory) -> None:
    found = taken({"/app/it.jar": content})
    assert not found.packages
    assert ("/app/it.jar", reason) in [
        (each.path.removesuffix("!/META-INF/MANIFEST.MF"), each.reason) for each in found.unrecognised
    ]


def test_an_archive_that_grows_without_end_is_left() -> None:
    grown = zip_of({"nothing": b"\0" * (1 << 22)})
    for _ in range(4):
        grown = zip_of({f"{number}.jar": grown for number in range(8)})
    assert len(grown) < 1 << 20
    tracemalloc.start()
    try:
        found = read("/bomb.jar", memoryview(grown))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not found.artifacts
    assert {"too many archives in each other"} <= {reason for _, reason in found.failed}
    assert peak < 1 << 24


def test_a_description_that_grows_is_left() -> None:
    found = read("/a-1.jar", memoryview(zip_of({"META-INF/MANIFEST.MF": b"A: b\n" * (1 << 20)})))
    assert found.failed == (("META-INF/MANIFEST.MF", "more in it than is unpacked"),)
    assert [each.name for each in found.artifacts] == ["a"]


def test_no_more_is_unpacked_than_a_whole_archive_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_EVERYTHING", 1 << 18)
    nested = {f"{number}.jar": zip_of({"x": "y"}) + bytes(1 << 16) for number in range(8)}
    found = read("/a-1.jar", memoryview(zip_of(nested)))
    assert [reason for _, reason in found.failed].count("more in it than is unpacked") == 5


def test_more_archives_in_one_than_there_are_anywhere_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(java, "_MOST", 20)
    found = read("/a-1.jar", memoryview(zip_of({f"{number}.jar": "" for number in range(25)})))
    assert ("", "more in it than is looked at") in found.failed


def test_more_files_in_one_than_there_are_anywhere_are_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MOST", 20)
    found = read("/a-1.jar", memoryview(zip_of({f"{number}.class": "" for number in range(25)})))
    assert found.failed == (("", "more files in it than are looked at"),)


def test_an_archive_in_the_format_for_many_files_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 5)
    content = zip_of({f"c/{number}.class": "" for number in range(9)} | pom("a.b", "many", "1"))
    assert b"PK\x06\x06" in content
    assert told("/many.jar", content) == [("a.b", "many", "1", "")]
    assert told("/many.jar", b"#!/bin/sh\n" + content) == [("a.b", "many", "1", "")]


def test_names_in_an_archive_need_not_be_text(taken: TakeInventory) -> None:
    content = zip_of({"lib/b-1.jar": zip_of({"x": "y"})}).replace(b"lib/b-1.jar", b"\x80ib/b-1.jar")
    found = taken({"/a.jar": content})
    assert [each.location for each in found.packages] == ["/a.jar!/\N{REPLACEMENT CHARACTER}ib/b-1.jar"]
