"""Where in an image a file is, what wrote it, what hides it, and what keeps it out.

The rules about files that nobody should get share this.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from hullmark.model.attribution import Told
from hullmark.model.location import layer_name
from hullmark.model.text import shortened

if TYPE_CHECKING:
    from hullmark.model.attribution import Origin

_LONGEST = 60
"""Characters of an instruction that are quoted."""
_FROM_ELSEWHERE = re.compile(r"(?:COPY|ADD) (?:--\S+ )*--from=")
_ADDRESS = re.compile(r"ADD (?:--\S+ )*(?:[a-z+]+://|git@)")


def told(origin: Origin) -> str:
    """The instruction and its place, for a sentence."""
    first = origin.first
    if first.told is Told.LAYER:
        return first.text
    what = f"`{shortened(first.text, _LONGEST)}`"
    return what if first.span is None else f"{what} ({first.span.path}:{first.span.line})"


def where(layer: int, layers: int, written: Origin | None, hidden: Origin | None) -> str:
    """`in layer 2 of 5, written by ..., hidden by ...`."""
    known = written is not None and written.first.told is not Told.LAYER
    by = f", written by {told(written)}" if written is not None and known else ""
    over = f", hidden by {told(hidden)}" if hidden is not None else ""
    return f"in {layer_name(layer, layers)}{by}{over}"


def keep_out(path: str, written: Origin | None) -> str:
    """What has to be changed so that no layer has the file at `path`."""
    first = None if written is None else written.first
    name = posixpath.basename(path)
    if first is None or not first.keyword:
        return f"keep `{name}` out of the image, in the step that writes it"
    if first.told is Told.BASE:
        return f"build upon another base image: `{first.base or first.text}` brings `{name}`"
    if first.keyword == "RUN":
        return f"mount it with `RUN --mount=type=secret`, or delete `{name}` in the same RUN that writes it"
    if first.keyword not in {"COPY", "ADD"} or _ADDRESS.match(first.text):
        return f"take `{name}` out of that {first.keyword}"
    if _FROM_ELSEWHERE.match(first.text) or first.told is Told.COPY:
        return f"copy from the other stage what is needed, and not `{name}`"
    if "<<" in first.text:
        return f"take `{name}` out of the Dockerfile"
    return f"add `{name}` to the `.dockerignore` of the build context, or copy only what is needed"
