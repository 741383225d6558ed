"""What a build takes out of its context: what is there by accident, and what the manifests in it declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.inputs import Because
    from hullmark.model.secret import FileSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """Something of a kind that belongs into no image, although an instruction takes it along with the rest."""

    path: str
    """Relative to the context, with forward slashes."""
    pattern: str
    """The line of an ignore file that keeps it out, and others of its kind: `**/node_modules`."""
    bytes: int
    """Of all of its files that are not excluded."""
    files: int
    because: Because
    """The first instruction that takes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A file that declares what a service needs to run, and which an instruction takes out of the context."""

    path: str
    """Relative to the context, with forward slashes."""
    kind: str
    """`npm` or `python`."""
    names: tuple[str, ...]
    """The packages, sorted, as they are written there; those for development alone are not among them."""
    plain: bool = False
    """Whether it is a list for pip that names packages of an index and nothing else: no file, no address, no option."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenSecret:
    """A secret in a file that instructions take out of the context."""

    secret: FileSecret
    because: tuple[Because, ...]
    """The instructions that take it, in their order; at least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The build context of one image as it is on this disk, without what its ignore file excludes."""

    ignore_file: str
    """The file that lists what is excluded, relative to the project's root; where there is none, where it would be."""
    ignored: bool
    """Whether that file is there."""
    ignore_end: tuple[int, int] = (1, 1)
    """Line and column after the last character of that file."""
    bytes: int
    """Of everything that instructions take."""
    files: int
    whole: Because | None = None
    """The first instruction that takes all of the context."""
    strays: tuple[Stray, ...] = ()
    """By path."""
    manifests: tuple[Manifest, ...] = ()
    """By path."""
    secrets: tuple[TakenSecret, ...] = ()
    """By path, where they were looked for."""
    unread: int = 0
    """Files that were not looked through for secrets, because they cannot be read or are too large together."""
    unread_bytes: int = 0
