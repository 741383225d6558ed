"""Text that was put together from pieces of a file and still knows where each character came from."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Iterable


class Located:
    """A text and the file positions of its pieces; a piece never crosses the end of a line."""

    __slots__ = ("_places", "_starts", "path", "text")

    def __init__(self, path: str, pieces: Iterable[tuple[str, int, int]]) -> None:
        """Joins `pieces`, each a text with the line and column (from 1) of its first character."""
        self.path = path
        self._starts: list[int] = []
        self._places: list[tuple[int, int]] = []
        texts = []
        length = 0
        for text, line, column in pieces:
            self._starts.append(length)
            self._places.append((line, column))
            texts.append(text)
            length += len(text)
        self.text = "".join(texts)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of the character at `offset`."""
        index = bisect_right(self._starts, offset) - 1
        line, column = self._places[index]
        return line, column + offset - self._starts[index]

    def span(self, start: int, end: int) -> SourceSpan:
        """Where the characters from `start` up to `end` stand; an empty range stands where `start` does."""
        index = bisect_right(self._starts, start) - 1
        line, column = self._places[index]
        column += start - self._starts[index]
        if index + 1 == len(self._starts) or end <= self._starts[index + 1]:
            end_line, end_column = line, column + end - start
        else:
            end_line, end_column = self.place(max(start, end - 1))
            end_column += end > start
        return SourceSpan(path=self.path, line=line, column=column, end_line=end_line, end_column=end_column)

    def pieces(self, start: int, end: int) -> Iterable[tuple[str, int, int]]:
        """The pieces that make up the characters from `start` up to `end`."""
        index = max(bisect_right(self._starts, start) - 1, 0)
        while start < end:
            stop = end
            if index + 1 < len(self._starts):
                stop = min(end, self._starts[index + 1])
            line, column = self._places[index]
            if stop > start:
                yield self.text[start:stop], line, column + start - self._starts[index]
                start = stop
            index += 1
