"""Which records are about a version, by the shortest way that the format itself describes: one record after the other.

Nothing of hullmark is used, versions are compared by other means, and nothing is indexed, packed or remembered.
"""

from __future__ import annotations

import json
import re
import zipfile
from functools import cache, cmp_to_key
from typing import TYPE_CHECKING, Any

from univers.versions import AlpineLinuxVersion, PypiVersion, SemverVersion

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def records(path: Path) -> list[dict[str, Any]]:
    """Every record in an archive."""
    with zipfile.ZipFile(path) as archive:
        return [json.loads(archive.read(name)) for name in archive.namelist()]


def _weight(sign: str) -> int:
    if sign == "~":
        return -1
    return ord(sign) if sign.isalpha() else ord(sign) + 256 if sign else 0


def _compare_part(one: str, other: str) -> int:
    """Upstream versions and revisions, as the policy of Debian has it: in turn what is no digit, and digits."""
    while one or other:
        words = [re.match(r"[^0-9]*", text)[0] for text in (one, other)]  # type: ignore[index]
        for place in range(max(map(len, words))):
            ours, theirs = (_weight(word[place : place + 1]) for word in words)
            if ours != theirs:
                return -1 if ours < theirs else 1
        one, other = one[len(words[0]) :], other[len(words[1]) :]
        digits = [re.match(r"[0-9]*", text)[0] for text in (one, other)]  # type: ignore[index]
        if int(digits[0] or 0) != int(digits[1] or 0):
            return -1 if int(digits[0] or 0) < int(digits[1] or 0) else 1
        one, other = one[len(digits[0]) :], other[len(digits[1]) :]
    return 0


def _compare_debian(one: str, other: str) -> int:
    parts = []
    for version in (one, other):
        epoch, colon, rest = version.partition(":")
        upstream, dash, revision = (rest if colon else version).rpartition("-")
        parts.append((int(epoch) if colon else 0, upstream if dash else revision, revision if dash else "0"))
    (e1, u1, r1), (e2, u2, r2) = parts
    return (e1 > e2) - (e1 < e2) or _compare_part(u1, u2) or _compare_part(r1, r2)


@cache
def key(ecosystem: str, version: str) -> Any:
    """What a version is compared by; raises `ValueError` for what is none."""
    match ecosystem:
        case "Debian":
            return cmp_to_key(_compare_debian)(version)
        case "Alpine":
            return AlpineLinuxVersion(version)
        case "PyPI":
            return PypiVersion(version)
        case _:
            return SemverVersion(version.removeprefix("v"))


def affected_by_range(ecosystem: str, version: str, events: list[dict[str, str]]) -> bool:
    """Go through the events in the order of their versions, and remember what the last one said."""
    before = ("introduced", "fixed", "last_affected")
    dated = [(name, value) for event in events for name, value in event.items() if name in before]
    zeros = sorted((name for name, value in dated if value == "0"), key=before.index)
    others = sorted((pair for pair in dated if pair[1] != "0"), key=lambda pair: key(ecosystem, pair[1]))
    here, vulnerable = key(ecosystem, version), False
    for name in zeros:
        vulnerable = name == "introduced"
    for name, value in others:
        there = key(ecosystem, value)
        # Of some of the library's versions `>=` is wrong where `<` is right.
        if name == "introduced" and not here < there:
            vulnerable = True
        elif (name == "fixed" and not here < there) or (name == "last_affected" and there < here):
            vulnerable = False
    return vulnerable


def affected(ecosystem: str, name: str, version: str, every: list[dict[str, Any]]) -> Iterator[str]:
    """The IDs of records that are about `version` of a package; `ecosystem` is with its release."""
    family = ecosystem.partition(":")[0]
    for record in every:
        if "withdrawn" not in record and any(
            _is_about(each, family, ecosystem, name, version) for each in record["affected"]
        ):
            yield record["id"]


def _is_about(part: dict[str, Any], family: str, ecosystem: str, name: str, version: str) -> bool:
    package = part.get("package", {})
    if package.get("ecosystem") != ecosystem or _spelled(family, package["name"]) != _spelled(family, name):
        return False
    if version in part.get("versions", ()):
        return True
    for each in part.get("ranges", ()):
        if each["type"] != "GIT" and affected_by_range(family, version, each["events"]):
            return True
    return any(_equal(family, version, other) for other in part.get("versions", ()))


def _equal(family: str, one: str, other: str) -> bool:
    try:
        return bool(key(family, one) == key(family, other))
    except ValueError:
        return False


def _spelled(family: str, name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower() if family == "PyPI" else name


def vulnerabilities(found: set[str], every: list[dict[str, Any]]) -> set[frozenset[str]]:
    """Records in `found` by the vulnerability that they tell of, where one has a CVE; one group for each CVE.

    A record without any CVE, and that shares no name with another, is alone.
    """
    chosen = [record for record in every if record["id"] in found]
    called = {record["id"]: _cves(record, chosen) for record in chosen}
    groups: dict[str, set[str]] = {}
    for record, cves in called.items():
        for name in cves or {record}:
            groups.setdefault(name, set()).add(record)
    return {frozenset(group) for group in groups.values()}


def _cves(record: dict[str, Any], chosen: list[dict[str, Any]]) -> set[str]:
    """Every CVE that a record is about: by its own ID, its aliases, what is upstream, and records with the same alias."""
    names, before = {record["id"], *record.get("aliases", ()), *record.get("upstream", ())}, set[str]()
    while names != before:
        before = set(names)
        for other in chosen:
            same = {other["id"], *other.get("aliases", ())}
            if same & names:
                names |= same
                names |= (
                    set(other.get("upstream", ())) if len(_plain(other.get("upstream", ()))) == 1 else set()
                )
    return _plain(names)


def _plain(names: Any) -> set[str]:
    return {found[0] for name in names if (found := re.search(r"CVE-[0-9]{4}-[0-9]+$", name))}
