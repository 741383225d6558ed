"""Secrets in the files of a directory, looked for as those of a layer are: file after file, in pieces, by one engine."""

from __future__ import annotations

import os
import stat
from bisect import bisect_right
from typing import TYPE_CHECKING

from hullmark.model.secret import FileSecret, Likeness, Looked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hullmark._secrets.stream import Kept
    from hullmark.model.image import Content, Stream

MOST = 1 << 30
"""Bytes of one context that are looked through."""
_LITTLE = 1 << 17
"""Bytes that one expression after the other is through before the automaton for all of them is made."""
_PIECE = 1 << 20
_PACKAGES = ("node_modules/", "/node_modules/", ".venv/", "/.venv/")
"""What packages brought: their test keys are everybody's."""


def look_into(files: Iterable[tuple[str, str, int]], most: int = MOST) -> Looked:
    """The secrets in `files`: of each its path as it is told, where it is, and how many bytes it has.

    Links are not followed, as a build does not. Once `most` bytes are exceeded the largest files are left out; they and
    those that cannot be read are counted.
    """
    wanted = [each for each in files if each[2] and not _of_packages(each[0])]
    total = sum(size for *_, size in wanted)
    left_out: list[tuple[str, str, int]] = []
    if total > most:
        wanted.sort(key=lambda each: each[2])
        while total > most:
            left_out.append(wanted.pop())
            total -= left_out[-1][2]
    wanted.sort()
    if not wanted:
        return Looked(unread=len(left_out), unread_bytes=sum(size for *_, size in left_out))
    reading = _Reading(total)
    left_out += [file for file in wanted if not reading.add(file)]
    return Looked(
        secrets=tuple(reading.found()),
        unread=len(left_out),
        unread_bytes=sum(size for *_, size in left_out),
    )


def _of_packages(path: str) -> bool:
    return path.startswith(_PACKAGES[::2]) or any(each in path for each in _PACKAGES[1::2])


class _Reading:
    """All files as one stream, and which of them a byte of it belongs to."""

    def __init__(self, total: int) -> None:
        # Much is loaded for this, and most projects have nothing to look at.
        from hullmark._secrets.engine import finder, plain  # noqa: PLC0415
        from hullmark._secrets.stream import SecretScanner  # noqa: PLC0415
        from hullmark.model.image import Content  # noqa: PLC0415

        self._content = Content
        self._stream: Stream = SecretScanner(plain if total <= _LITTLE else finder).begin(self._at)
        self._files: list[tuple[str, str, int]] = []
        self._begins: list[int] = []
        self._written = 0

    def _at(self, position: int) -> Content | None:
        number = bisect_right(self._begins, position) - 1
        if number < 0:
            return None
        last = number + 1 == len(self._begins)
        end = self._written if last else self._begins[number + 1]
        return self._content(number, self._begins[number], end) if position < end else None

    def add(self, file: tuple[str, str, int]) -> bool:
        """Looks through one more file; whether it could be read to its end."""
        try:
            # What became a pipe or a link meanwhile is neither waited for nor followed.
            with open(_opened(file[1]), "rb", buffering=0) as opened:
                self._files.append(file)
                self._begins.append(self._written)
                while piece := opened.read(_PIECE):
                    self._written += len(piece)
                    self._stream.write(piece)
        except OSError:
            return False
        return True

    def found(self) -> Iterator[FileSecret]:
        """Every secret, in the order of the files."""
        from hullmark._secrets.catalogue import catalogue  # noqa: PLC0415
        from hullmark._secrets.stream import decode  # noqa: PLC0415

        kept = decode(self._stream.finish()).secrets
        words = {detector.id: detector.what for detector in catalogue()} if kept else {}
        for each in kept:
            yield self._told(each, words[each.format])

    def _told(self, kept: Kept, what: str) -> FileSecret:
        path, where, _ = self._files[kept.row]
        return FileSecret(
            path=path,
            line=_line(where, kept.offset),
            likeness=Likeness(format=kept.format, what=what, shown=kept.shown, hash=kept.hash),
        )


def _opened(where: str) -> int:
    number = os.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(number).st_mode):
        return number
    os.close(number)
    raise OSError(where)


def _line(where: str, offset: int) -> int:
    """The line that the byte at `offset` is in."""
    lines = 1
    try:
        with open(_opened(where), "rb", buffering=0) as opened:
            while offset > 0 and (piece := opened.read(min(offset, _PIECE))):
                lines += piece.count(b"\n")
                offset -= len(piece)
    except OSError:
        pass
    return lines
