"""How long work tells a person that it is going on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hullmark.model.outcome import Check


class Progress(Protocol):
    """Is told of every change; may be called from several threads at once."""

    def begin(self, check: Check, service: str | None, text: str) -> None:
        """A piece of work starts, or goes on to what `text` names."""

    def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:
        """A piece of work has ended; `text` says how."""

    def close(self) -> None:
        """No more work follows; a display that moves comes to rest."""


class Silent:
    """A progress that nobody watches."""

    def begin(self, check: Check, service: str | None, text: str) -> None:
        """See `Progress.begin`."""

    def end(self, check: Check, service: str | None, text: str, *, good: bool) -> None:
        """See `Progress.end`."""

    def close(self) -> None:
        """See `Progress.close`."""
