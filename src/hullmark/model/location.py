"""Where a finding points: into a file of the project, at a service, or into an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class SourceSpan:
    """A range of a text file of the project; lines and columns count from 1, the end is inclusive."""

    path: str
    """Relative to the project's root, with forward slashes; absolute only outside of it."""
    line: int = 1
    column: int = 1
    end_line: int = 0
    """Last line of the range; 0 stands for `line`."""
    end_column: int = 0
    """Column after the last character of the range; 0 where only lines are known."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def anchor(self) -> str:
        """What stays the same when lines move: the file."""
        return self.path


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ServicePlace:
    """A service of the stack, for what has no better place in a file."""

    service: str

    def __str__(self) -> str:
        return f"service {self.service}"

    @property
    def anchor(self) -> str:
        """What stays the same between runs."""
        return f"service:{self.service}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImagePath:
    """A file in an image, in one of its layers where that is known."""

    image: str
    """The image as it was named by the project, for example `tale-rag:dev`."""
    path: str
    """Absolute path inside the image."""
    layer: int | None = None
    """Index of the layer from the bottom, starting at 0; people are told the number that `layer_name` makes of it."""

    def __str__(self) -> str:
        layer = "" if self.layer is None else f" ({layer_name(self.layer)})"
        return f"{self.image}:{self.path}{layer}"

    @property
    def anchor(self) -> str:
        """What stays the same when the image is tagged or rebuilt: the path."""
        return f"image:{self.path}"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ImageConfig:
    """A key of an image's configuration, for example `Labels` or `User`."""

    image: str
    key: str

    def __str__(self) -> str:
        return f"{self.image} config.{self.key}"

    @property
    def anchor(self) -> str:
        """What stays the same when the image is tagged or rebuilt: the key."""
        return f"config:{self.key}"


def layer_name(index: int, of: int | None = None) -> str:
    """What people are told of the layer with that index: the lowest is layer 1, wherever layers are listed.

    With `of`, the number of layers of the image stands behind it.
    """
    return f"layer {index + 1}" if of is None else f"layer {index + 1} of {of}"


def shown(file: PurePath, root: PurePath) -> str:
    """`file` as messages name it: relative to the project's root where it lies inside, with forward slashes."""
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()


Location = SourceSpan | ServicePlace | ImagePath | ImageConfig
