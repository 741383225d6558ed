"""The report as one HTML file that asks no other place for anything, to be looked at in a browser.

Everything is in the text of the page, so that it can be read, searched and printed without scripts; they add filters, a
map of each image to walk into, and the choice between light and dark. Text that is not ours (file names, output of
programs) is escaped, set apart from what stands around it, and no part of any script or style: the page's own policy
lets nothing run but the one script and the one style whose digests it names.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from hullmark.model.text import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import jinja2

    from hullmark._reporters.interface import Style
    from hullmark.model.report import Report

_SCRIPTS = ("theme.js", "findings.js", "treemap.js")


def render(report: Report, style: Style) -> Iterator[str]:  # noqa: ARG001  # a browser decides on width and colour
    """See `interface.render`."""
    from hullmark._reporters._html.page import page  # noqa: PLC0415  # with the template, only where it is asked for

    text = _template().render(page=page(report), style=_style(), script=_script(), policy=_policy())
    for line in readable(text).splitlines():
        if line.strip():
            yield f"{line}\n"


@cache
def _template() -> jinja2.Template:
    import jinja2  # noqa: PLC0415  # costs 50 ms, and most reports are no HTML

    from hullmark._reporters._html.text import FILTERS  # noqa: PLC0415

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("hullmark._reporters", "_html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment.get_template("report.html.jinja")


def _part(name: str) -> str:
    return resources.files("hullmark._reporters").joinpath("_html", name).read_text(encoding="utf-8")


@cache
def _style() -> str:
    return _without_blank_lines(_part("report.css"))


@cache
def _script() -> str:
    return _without_blank_lines("\n".join(_part(name) for name in _SCRIPTS))


def _without_blank_lines(text: str) -> str:
    """The digests in the policy are of what is written, and `render` writes no blank lines."""
    return "".join(f"\n{line}" for line in text.splitlines() if line.strip()) + "\n"


def _policy() -> str:
    return (
        f"default-src 'none'; script-src '{_digest(_script())}'; style-src '{_digest(_style())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
