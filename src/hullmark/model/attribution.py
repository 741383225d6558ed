"""Where the bytes of an image come from: the instruction that wrote each file, as far as it can be told."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from array import array
    from collections.abc import Mapping

    from hullmark.model.image import Image
    from hullmark.model.location import SourceSpan


class Told(enum.StrEnum):
    """How much is known of where a file comes from."""

    INSTRUCTION = "instruction"
    """An instruction of the Dockerfile wrote it."""
    BASE = "base"
    """It came with the image that the Dockerfile starts from."""
    HISTORY = "history"
    """The image's own history names a step, and no Dockerfile that fits was given."""
    COPY = "copy"
    """A COPY of a whole stage brought it, and what wrote it there could not be told."""
    LAYER = "layer"
    """Nothing but the layer is known."""

    @property
    def attributed(self) -> bool:
        """Whether it names what really wrote the file."""
        return self in {Told.INSTRUCTION, Told.BASE, Told.HISTORY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What wrote a file into an image; equal for all files that one step wrote."""

    told: Told
    text: str
    """The instruction in one line, for example `RUN apt-get update`; `layer 3` when nothing is known."""
    keyword: str = ""
    """Of the instruction, in upper case; empty when it is not known."""
    stage: str = ""
    """Label of the stage that the instruction stands in; empty without a Dockerfile."""
    span: SourceSpan | None = None
    """Where it stands in the Dockerfile; of a base image, the FROM."""
    base: str = ""
    """Of what came with a base image: the image, as the FROM names it."""
    source: Origin | None = None
    """Of a COPY from another stage: what wrote the file there, where the image of that stage was given."""

    @property
    def chain(self) -> tuple[Origin, ...]:
        """Itself, then what wrote the file in the stage that it was copied from, and so on to the first writer."""
        found = [self]
        while found[-1].source is not None:
            found.append(found[-1].source)
        return tuple(found)

    @property
    def first(self) -> Origin:
        """What wrote the file first, as far back as there is an instruction: where one goes to change it."""
        chain = self.chain
        return next((each for each in reversed(chain) if each.span is not None), chain[-1])

    def __str__(self) -> str:
        return self.text if self.span is None else f"{self.span.path}:{self.span.line}: {self.text}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one origin has in an image."""

    origin: Origin
    bytes: int
    files: int
    """Regular files with content of their own; a hard link is none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Squash:
    """A layer that is a copy of the whole file system of another stage."""

    layer: int
    """Its index in the image."""
    stage: Image
    """What it was copied from."""
    steps: tuple[Origin, ...]
    """For every layer of the stage, the step that made it."""
    writers: array[int]
    """For every row of its table, the index of the stage's layer that wrote it; -1 where the stage has no such file."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attribution:
    """The origin of every entry of an image, in columns like the tables of its layers."""

    origins: tuple[Origin, ...]
    """Every origin once, in the order of the layers."""
    rows: tuple[array[int], ...]
    """For every layer and row of its table, the index of its origin in `origins`."""
    steps: tuple[Origin, ...]
    """For every layer, the step that made it, whatever it copied."""
    whole: tuple[int, ...] = ()
    """The indexes of the layers that are copies of a whole stage."""
    squashes: tuple[Squash, ...] = ()
    """Those of them whose stage was at hand."""
    notes: tuple[str, ...] = ()
    """What did not fit, in a sentence each."""
    modes: tuple[Mapping[int, int], ...] = ()
    """For every layer, of the rows whose mode something else has set than what wrote them, the index of that."""

    def origin(self, layer: int, row: int) -> Origin:
        """What wrote the entry in `row` of the layer with the index `layer`."""
        return self.origins[self.rows[layer][row]]

    def mode_origin(self, layer: int, row: int) -> Origin:
        """What gave that entry its mode: of a copy, what set it in the other stage, unless the COPY did.

        A directory is in every layer that puts something into it. Its mode is from the one that changed it last.
        """
        return self.origins[self.modes[layer].get(row, self.rows[layer][row])]
