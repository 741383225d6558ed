"""What `${NAME}` stands for in a probe, and that none of it is shown."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from hullmark._smoke.probes.attempt import shorten
from hullmark.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hullmark.model.probe import Variable

_REFERENCE = re.compile(r"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_HIDDEN = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """The variables of the environment, which are never shown, and what earlier steps captured."""

    secrets: dict[str, str] = field(default_factory=dict, repr=False)
    captured: dict[str, Any] = field(default_factory=dict, repr=False)
    """As JSON has it."""

    @classmethod
    def of(cls, variables: Iterable[Variable]) -> Filling:
        """With `variables`, and nothing captured yet."""
        return cls(secrets={each.name: each.value for each in variables})

    def text(self, template: str, encode: Callable[[str], str] = str) -> str:
        """`template` with every `${NAME}` replaced, by what `encode` makes of its value; `$${NAME}` stays `${NAME}`.

        Raises `Unavailable` for a name that stands for nothing.
        """

        def value(found: re.Match[str]) -> str:
            if found[0].startswith("$$"):
                return found[0][1:]
            return encode(as_text(self._value(found[1])))

        return _REFERENCE.sub(value, template)

    def path(self, template: str) -> str:
        """`template` as part of a URL."""
        return self.text(template, lambda value: quote(value, safe=""))

    def captures(self, template: str) -> str:
        """`template` with what was captured; everything else that looks like it is left to who gets it."""

        def value(found: re.Match[str]) -> str:
            known = not found[0].startswith("$$") and found[1] in self.captured
            return as_text(self.captured[found[1]]) if known else found[0]

        return _REFERENCE.sub(value, template)

    def json(self, template: str) -> Any:
        """The JSON value that `template` describes; a text that is nothing but `${NAME}` becomes what was captured."""
        return self._filled(json.loads(template))

    def _filled(self, value: Any) -> Any:
        match value:
            case str():
                whole = _REFERENCE.fullmatch(value)
                if whole and not value.startswith("$$"):
                    return self._value(whole[1])
                return self.text(value)
            case dict():
                return {key: self._filled(item) for key, item in value.items()}
            case list():
                return [self._filled(item) for item in value]
            case _:
                return value

    def _value(self, name: str) -> Any:
        if name in self.captured:
            return self.captured[name]
        if name in self.secrets:
            return self.secrets[name]
        raise Unavailable(
            f"variable `{name}` is neither set in the environment nor captured by an earlier step"
        )

    def quote(self, text: str) -> str:
        """`text`, which others wrote, fit to be shown: short, printable, and without what is secret."""
        return shorten(self.redacted(text))

    def redacted(self, text: str) -> str:
        """`text` without the values of the environment, in the ways in which they are commonly written."""
        forms = {form for value in self.secrets.values() if value for form in _forms(value)}
        # The longest first, so that no rest of one stays behind.
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, _HIDDEN)
        return text


def _forms(value: str) -> Iterable[str]:
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    # What it is in a header for basic authentication cannot be told from its neighbours, but on its own it can.
    yield base64.b64encode(value.encode()).decode().rstrip("=")


def as_text(value: Any) -> str:
    """A JSON value as it stands in a text: texts without quotes."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
