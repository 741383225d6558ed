"""What hullmark knows of the rules of other linters, without running any."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.model.dockerfile import Recipe
    from hullmark.model.finding import Finding

IDS = re.compile(r"(DL|SC)\d{4}")
_WHOLE_COPY = "DL3067"
EQUIVALENT: Mapping[str, str] = {
    "DL3002": "root-in-final-stage",
    "DL3005": "apt-upgrade",
    "DL3006": "unpinned-base-image",
    "DL3007": "unpinned-base-image",
    "DL3009": "apt-lists-left",
    "DL3015": "apt-recommends",
    "DL3017": "system-upgrade",
    "DL3025": "shell-form-entrypoint",
    "DL3031": "system-upgrade",
    "DL3035": "system-upgrade",
    "DL3039": "system-upgrade",
    "DL3042": "pip-cache-kept",
    "DL3057": "missing-healthcheck",
    "DL3064": "secret-in-build-argument",
}
"""Rules of hadolint that look for what one of ours looks for: where both find it, it is said once."""
EXPLAINED: Mapping[str, str] = {
    _WHOLE_COPY: (
        "hadolint warns of copying the whole file system of another stage. That is what a squash is: FROM scratch and "
        "COPY --from=STAGE / /, to leave behind what later instructions deleted. hullmark takes such a last stage for "
        "deliberate, silences DL3067 for it, and looks instead for what the squash loses (the rules squash-loses-*)."
    )
}
"""What hullmark has to say about a rule of hadolint."""


def silenced(finding: Finding, recipe: Recipe) -> Finding | None:
    """The finding with the reason, when it is about a squash that is meant as one (see `EXPLAINED`); else `None`."""
    place = finding.location
    if finding.rule != _WHOLE_COPY or not isinstance(place, SourceSpan):
        return None
    # Whichever stage a service builds: hadolint reads all of the file.
    for stage in recipe.dockerfile.stages:
        squash = stage.squash
        if squash is not None and squash[0].span.line <= place.line <= squash[0].span.end_line:
            told = f"stage {stage.label} squashes stage {squash[1].label}"
            return replace(
                finding,
                seen=f"{finding.seen}; silenced: {told}, which is meant",
                remedy="nothing has to be done: `hullmark explain DL3067` says why",
            )
    return None


def page(code: str) -> str:
    """Where the rule `code`, of hadolint or of ShellCheck, is described."""
    if code.startswith("SC"):
        return f"https://www.shellcheck.net/wiki/{code}"
    return f"https://github.com/hadolint/hadolint/wiki/{code}"
