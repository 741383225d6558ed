"""Packages of Node.js: nested, scoped, linked by pnpm, and why each is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contents.owners.conftest import Own

_APP = "/app/node_modules"


def _package(name: str, version: str = "1.0.0", *requires: str, at: str = "", **more: Any) -> dict[str, str]:
    directory = at or f"{_APP}/{name}"
    description = {"name": name, "version": version, "dependencies": dict.fromkeys(requires, "*"), **more}
    return {f"{directory}/package.json": json.dumps(description), f"{directory}/index.js": "code"}


def test_files_belong_to_the_innermost_package(own: Own) -> None:
    owned = own(
        {
            "/app/package.json": json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"a": "1"}}),
            "/app/index.js": "code",
            **_package("a"),
            f"{_APP}/a/dist/esm/package.json": '{"type": "module", "name": "other", "version": "9"}',
            f"{_APP}/a/dist/esm/x.js": "x",
            **_package("b", "2.0.0", at=f"{_APP}/a/node_modules/b"),
            **_package("@scope/c", "3.0.0"),
            f"{_APP}/.package-lock.json": "{}",
        }
    )
    assert owned.owner(f"{_APP}/a/dist/esm/x.js") == "npm:a 1.0.0"
    assert owned.owner(f"{_APP}/a/node_modules/b/index.js") == "npm:b 2.0.0"
    assert owned.owner(f"{_APP}/@scope/c/index.js") == "npm:@scope/c 3.0.0"
    assert owned.owner(f"{_APP}/.package-lock.json") == "directory:/app"
    assert owned.owner("/app/index.js") == "directory:/app"
    assert {each.owner.name for each in owned.ownership.packages} == {"a", "b", "@scope/c"}
    assert owned.notes == ()


def test_the_nearest_package_is_the_one_that_is_required(own: Own) -> None:
    owned = own(
        {
            "/app/package.json": json.dumps({"dependencies": {"a": "1", "b": "1"}}),
            **_package("a", "1.0.0", "b"),
            **_package("b", "1.0.0"),
            **_package("b", "2.0.0", "c", at=f"{_APP}/a/node_modules/b"),
            **_package("c"),
        }
    )
    ways = {each.location: each.why for each in owned.ownership.packages}
    assert ways[f"{_APP}/a/node_modules/b/package.json"] == ("a", "b")
    assert ways[f"{_APP}/b/package.json"] == ("b",)
    assert owned.package("c").why == ("a", "b", "c")
    assert owned.package("a").declared
    assert not owned.package("c").declared


def test_what_pnpm_links_is_followed_to_its_store(own: Own) -> None:
    store = f"{_APP}/.pnpm"
    owned = own(
        {
            "/app/package.json": json.dumps({"dependencies": {"a": "1"}}),
            f"{_APP}/a": "-> .pnpm/a@1.0.0/node_modules/a",
            **_package("a", "1.0.0", "@s/b", at=f"{store}/a@1.0.0/node_modules/a"),
            f"{store}/a@1.0.0/node_modules/@s/b": "-> ../../../@s+b@2.0.0/node_modules/@s/b",
            **_package("@s/b", "2.0.0", at=f"{store}/@s+b@2.0.0/node_modules/@s/b"),
        }
    )
    assert owned.package("a").why == ("a",)
    assert owned.package("@s/b").why == ("a", "@s/b")
    assert owned.owner(f"{store}/@s+b@2.0.0/node_modules/@s/b/index.js") == "npm:@s/b 2.0.0"


def test_a_package_whose_files_are_other_names_of_those_in_a_store_is_told_by_its_place(own: Own) -> None:
    place = f"{_APP}/.pnpm/@s+b@2.0.0_react@18.0.0/node_modules/@s/b"
    owned = own(
        {
            "/store/files/00/1234": "{}",
            "/store/files/00/5678": "code",
            f"{place}/package.json": "= /store/files/00/1234",
            f"{place}/index.js": "= /store/files/00/5678",
            f"{_APP}/z/package.json": "= /store/files/00/1234",
        }
    )
    assert str(owned.package("@s/b").owner) == "@s/b 2.0.0"
    assert owned.owner(f"{place}/index.js") == "npm:@s/b 2.0.0"
    assert owned.notes == (f"{_APP}/z/package.json was not read: its content was not kept",)


def test_rings_of_requirements_come_to_an_end(own: Own) -> None:
    owned = own({**_package("a", "1.0.0", "b"), **_package("b", "1.0.0", "a")})
    assert owned.package("b").why == ("a", "b")


def test_a_package_that_the_distribution_brought_is_counted_by_it(own: Own) -> None:
    place = "/usr/share/nodejs/npm/node_modules/ini"
    files = _package("ini", "4.1.0", at=place)
    owned = own(
        {
            **files,
            "/var/lib/dpkg/status": "Package: npm\nStatus: install ok installed\nVersion: 9\n",
            "/var/lib/dpkg/info/npm.list": "\n".join(files),
        }
    )
    part_of = owned.package("ini").part_of
    assert part_of is not None
    assert part_of.name == "npm"
    assert owned.owner(f"{place}/index.js") == "dpkg:npm 9"


def test_masked_packages_keep_their_files(own: Own) -> None:
    old, new = _package("a", "1.0.0"), _package("a", "2.0.0")
    owned = own(old, new, dict.fromkeys(new))
    assert owned.masked(f"{_APP}/a/index.js") == ["npm:a 1.0.0", "npm:a 2.0.0"]
    assert owned.ownership.packages == ()


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '"x"', b"\xff\xfe", '{"name": "a"}', '{"name": 1, "version": []}', "[" * 100_000, ""],
    ids=["cut", "list", "text", "utf-16", "no version", "types", "deep", "empty"],
)
def test_a_description_that_cannot_be_read_is_said(own: Own, content: str | bytes) -> None:
    owned = own({f"{_APP}/a/package.json": content, **_package("b")})
    assert len(owned.notes) == 1
    assert f"{_APP}/a/package.json" in owned.notes[0]
    assert owned.package("b").why == ("b",)


@pytest.mark.parametrize(
    "requires", [{"dependencies": []}, {"dependencies": "x"}, {"peerDependencies": None}]
)
def test_odd_requirements_are_none(own: Own, requires: dict[str, Any]) -> None:
    assert own(_package("a", **requires)).package("a").requires == ()


def test_a_byte_order_mark_does_no_harm(own: Own) -> None:
    text = json.dumps({"name": "a", "version": "1"})
    owned = own({f"{_APP}/a/package.json": b"\xef\xbb\xbf" + text.encode()})
    assert owned.package("a").owner.version == "1"
