"""Text that others wrote, as it may stand in a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from hullmark.model.duration import format_duration
from hullmark.model.size import format_change, format_share, format_size
from hullmark.model.text import printable, readable

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 400
"""Characters of one quotation; of a longer one its beginning and its end are shown."""


def plain(text: str) -> str:
    """`text` on one line, without what is invisible or turns the direction of what follows."""
    text = text if len(text) <= LONGEST else f"{text[: LONGEST * 2 // 3]} … {text[-LONGEST // 3 :]}"
    return printable(readable(text).replace("\n", " "))


def code(text: str) -> Markup:
    """`text` as it is, in a box of its own: whatever direction it is written in, its surroundings keep theirs."""
    return Markup("<code>{}</code>").format(plain(text))


def prose(text: str) -> Markup:
    """Our own sentence: what it quotes in backticks becomes code."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:  # a backtick that nothing closes
        return code(text)
    return Markup("").join(code(part) if index % 2 else escape(part) for index, part in enumerate(parts))


def embedded(value: Any) -> Markup:
    """`value` as JSON inside of a `script` element, which nothing in it can end."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704  # for JSON


def plural(count: int, name: str) -> str:
    """`1 file`, `1,200 files`."""
    return f"{count:,} {name}{'' if count == 1 else 's'}"


FILTERS: dict[str, Callable[..., Any]] = {
    "plain": plain,
    "code": code,
    "prose": prose,
    "embedded": embedded,
    "plural": plural,
    "share": format_share,
    "size": format_size,
    "change": format_change,
    "duration": format_duration,
}
