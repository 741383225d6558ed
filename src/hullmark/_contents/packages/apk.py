"""Packages of Alpine and its relatives: one text file holds them all, with their files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark._contents.packages.evidence import Claim
from hullmark.model.owner import Owner, OwnerKind, Package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hullmark._contents.packages.evidence import Evidence, Found

_PLACE = re.compile(r"/(?:usr/)?lib/apk/db/installed")


def read(found: Found) -> Iterator[Claim]:
    """What every package claims, in every state that the database was in."""
    for each in found.evidence:
        if _PLACE.fullmatch(each.path):
            yield from _state(each, found.notes)


def _state(state: Evidence, notes: list[str]) -> Iterator[Claim]:
    broken = 0
    for paragraph in re.split(r"\n[ \t\r]*\n", state.text):
        fields: dict[str, str] = {}
        files, directory = list[str](), ""
        for line in paragraph.split("\n"):
            key, colon, value = line.rstrip("\r").partition(":")
            if not colon:
                continue
            if key == "F":
                directory = f"/{value.strip('/')}" if value.strip("/") else ""
            elif key == "R":
                files.append(f"{directory}/{value}")
            else:
                fields.setdefault(key, value)
        name, version = fields.get("P", ""), fields.get("V", "")
        if not name or not version:
            broken += bool(paragraph.strip("\n\r\t \0"))
            if not name:
                continue
        owner = Owner(kind=OwnerKind.APK, name=name, version=version)
        package = Package(
            owner=owner,
            location=state.path,
            architecture=fields.get("A", ""),
            source=fields.get("o", "") or name,
            source_version=version,
            maintainer=fields.get("m", ""),
        )
        yield Claim(
            owner=owner, span=state.span, package=package if state.span.visible else None, files=files
        )
    if broken and state.span.visible:
        notes.append(f"{state.path} holds {broken} paragraphs without the name or version of a package")
