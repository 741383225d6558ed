"""The version of a release, and the tags that move to it: by Semantic Versioning, or else by PEP 440."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from hullmark.model.reference import LATEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOVING = (LATEST, "major", "minor")
"""What moves: `latest`, and for 1.4.2 the tags `1` and `1.4`."""
_SEMVER = re.compile(
    r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    r"(?:-((?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*))*))?"
    r"(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
_WAITING = re.compile(
    r"_.*-(?:386|amd64|arm|arm64|loong64|mips(?:64)?(?:le)?|ppc64(?:le)?|riscv64|s390x|sparc64|wasm)(?:-v?[0-9.]+)?$"
)
"""Tags of images that wait for the gate, of versions with something about their build; other such are pre-releases."""
_LONGEST = 100
"""Characters: a tag has up to 128, and platforms and purposes are appended to it."""
_PHASES = {"a": "alpha", "b": "beta", "rc": "rc"}
_PRE, _FINAL, _POST = -1, 0, 1
_NUMBER, _WORD, _END = 0, 1, 2

_Part = tuple[int, int, str]
_Key = tuple[tuple[int, ...], int, tuple[_Part, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version, without the `v` that it may be written with."""

    text: str
    release: tuple[int, ...]
    """Its numbers, such as 1, 4, 2."""
    pre: bool = False
    """Whether it comes before a release, as 1.5.0-rc.1 and 1.5.0.dev3 do."""
    order: _Key = ((), 0, ())
    """Later versions have greater ones, across both grammars."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """The version that `text` spells; raises `ValueError`, saying what is expected, where it is none."""
        bare = text.removeprefix("refs/tags/")
        bare = bare[1:] if bare[:1] in {"v", "V"} else bare
        if len(bare) > _LONGEST:
            raise ValueError(f"`{text[:40]}...` is no version: it has more than {_LONGEST} characters")
        if found := _SEMVER.fullmatch(bare):
            release = tuple(int(found[number]) for number in (1, 2, 3))
            return cls(
                text=bare,
                release=release,
                pre=found[4] is not None,
                order=(_trimmed(release), _FINAL if found[4] is None else _PRE, _identifiers(found[4] or "")),
            )
        return cls._by_pep_440(bare, text)

    @classmethod
    def _by_pep_440(cls, bare: str, text: str) -> Self:
        from packaging.version import InvalidVersion  # noqa: PLC0415  # most versions are of the other grammar
        from packaging.version import Version as Parsed  # noqa: PLC0415

        expected = "expected one such as `1.4.0`, `1.4.0-rc.1` or, by PEP 440, `1.4.0rc1`"
        try:
            parsed = Parsed(bare)
        except InvalidVersion as error:
            raise ValueError(f"`{text}` is no version; {expected}") from error
        if parsed.epoch:
            raise ValueError(f"`{text}` has an epoch, which no tag can hold; {expected}")
        parts: list[_Part] = []
        if parsed.pre is not None:
            phase, number = parsed.pre
            parts += [(_WORD, 0, _PHASES[phase]), (_NUMBER, number, "")]
        if parsed.post is not None:
            parts.append((_NUMBER, parsed.post, ""))
        # A development version comes before what it leads to.
        parts += [(_WORD, 0, ""), (_NUMBER, parsed.dev, "")] if parsed.dev is not None else [(_END, 0, "")]
        early = parsed.pre is not None or (parsed.dev is not None and parsed.post is None)
        stage = _PRE if early else _FINAL if parsed.post is None else _POST
        return cls(
            text=str(parsed),
            release=tuple(parsed.release),
            pre=parsed.is_prerelease,
            order=(_trimmed(parsed.release), stage, () if stage == _FINAL else tuple(parts)),
        )

    def __str__(self) -> str:
        return self.text

    @property
    def tag(self) -> str:
        """What images of it are tagged with; a tag cannot hold the `+` before what a version says of its build."""
        return self.text.replace("+", "_")

    def later(self, other: Version) -> bool:
        """Whether this one comes after `other`."""
        return self.order > other.order


def moving_tags(version: Version, existing: Iterable[str], wanted: Iterable[str]) -> tuple[str, ...]:
    """The tags that move to `version` where the tags `existing` are there already, of the kinds `wanted`.

    None moves to a pre-release, and none moves back: `latest` belongs to the newest release, `1` to the newest of 1,
    `1.4` to the newest of 1.4. The most particular comes first.
    """
    return tuple(tag for tag, holder in _claims(version, existing, wanted) if holder is None)


def held_back(
    version: Version, existing: Iterable[str], wanted: Iterable[str]
) -> tuple[tuple[str, str], ...]:
    """The tags that would move to `version` if none of a later release were there: each with that of the latest."""
    return tuple(
        (tag, holder.tag) for tag, holder in _claims(version, existing, wanted) if holder is not None
    )


def _claims(
    version: Version, existing: Iterable[str], wanted: Iterable[str]
) -> Iterator[tuple[str, Version | None]]:
    """The tags that `version` has a claim to, each with the latest release that has a better one."""
    if version.pre:
        return
    others = [each for each in released(existing) if each.later(version)]
    numbers = (*version.release, 0)
    minor, major = f"{numbers[0]}.{numbers[1]}", f"{numbers[0]}"
    for kind, tag, among in (
        ("minor", minor, [each for each in others if (*each.release, 0)[:2] == numbers[:2]]),
        ("major", major, [each for each in others if each.release[:1] == numbers[:1]]),
        (LATEST, LATEST, others),
    ):
        if kind in wanted and tag != version.tag:
            yield tag, among[-1] if among else None


def released(tags: Iterable[str]) -> tuple[Version, ...]:
    """The versions among `tags` that are no pre-releases, the oldest first; tags that move count as the least of theirs."""
    found = []
    for tag in tags:
        if _WAITING.search(tag):
            continue
        try:
            # A tag cannot hold the `+` before what a version says of its build; see `Version.tag`.
            version = Version.parse(tag.replace("_", "+", 1))
        except ValueError:
            continue
        if not version.pre:
            found.append(version)
    return tuple(sorted(found, key=lambda each: each.order))


def _trimmed(release: tuple[int, ...]) -> tuple[int, ...]:
    """`release` without zeros at its end, which make no difference."""
    end = len(release)
    while end and not release[end - 1]:
        end -= 1
    return release[:end]


def _identifiers(text: str) -> tuple[_Part, ...]:
    """What stands behind the hyphen; numbers come before words."""
    if not text:
        return ()
    return tuple(
        (_NUMBER, int(each), "") if each.isdecimal() else (_WORD, 0, each) for each in text.split(".")
    )
