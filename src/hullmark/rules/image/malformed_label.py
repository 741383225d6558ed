"""Label whose value is not of its type.

What it checks
    The labels that the OCI image specification gives a type: `org.opencontainers.image.version` is a semantic version
    or one as Python packages have it, `created` a date and time of RFC 3339, `licenses` an SPDX expression, and `url`,
    `source` and `documentation` are URLs. An empty value is none. The words that stand for no release in the version
    (`dev`, `edge`, `nightly`, `snapshot`, ...) are left alone. A variable that nobody replaced is an error in a label that
    `labels` of `[policy]` requires; everything else, such as a version that is a commit, is a warning.

Why it matters
    Registries, scanners and update tools read these labels. A version that is the text `${VERSION}`, or a date that
    no program can read, is as good as none, and nobody notices.

How to fix
    Hand the value over as a build argument, quoted, and give the argument a default:

        ARG VERSION=dev
        LABEL org.opencontainers.image.version="${VERSION}" \
              org.opencontainers.image.licenses="Apache-2.0"
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression
from packaging.version import InvalidVersion, Version

from hullmark.model.dockerfile import ImageBase
from hullmark.model.finding import Observation, Severity
from hullmark.model.image import ShippedImage
from hullmark.model.location import ImageConfig, ServicePlace
from hullmark.model.rule import rule
from hullmark.rules._declared import pair
from hullmark.rules._variables import variables_of

if TYPE_CHECKING:
    from hullmark.model.location import Location

_PREFIX = "org.opencontainers.image."
_NO_RELEASE = frozenset({"dev", "devel", "development", "local", "snapshot", "nightly", "edge", "unreleased"})
_IDENTIFIER = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_NUMBER = "(?:0|[1-9][0-9]*)"
_SEMANTIC = re.compile(
    rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#]+(?:[/?#]\S*)?", re.IGNORECASE)


@rule(summary="label has a value of the wrong type", severity=Severity.WARNING, since="0.1")
def malformed_label(shipped: ShippedImage) -> Iterator[Observation]:
    for label, value in shipped.image.configuration.labels:
        kind = _KINDS.get(label.removeprefix(_PREFIX)) if label.startswith(_PREFIX) else None
        # That a required one is empty is said by another rule.
        if kind is None or kind[1](value) or (not value and label in shipped.labels):
            continue
        place, set_by, remedy = _given(shipped, label, value)
        yield Observation(
            location=place,
            seen=f"`{label}` is {f'`{value}`' if value else 'empty'}{set_by}",
            expected=kind[0],
            remedy=remedy.format(what=kind[0]),
            severity=Severity.ERROR if label in shipped.labels and "$" in value else None,
            key=label,
        )


def _given(shipped: ShippedImage, label: str, value: str) -> tuple[Location, str, str]:
    """Where the label gets its value, what to say of that, and what to do; `{what}` stands for what it should be."""
    config = ImageConfig(image=shipped.image.reference, key="Labels")
    stage = f'declare `LABEL {label}="..."` with {{what}} in the last stage, or leave it out'
    if label in shipped.build_labels:
        return (
            ServicePlace(service=shipped.service),
            ", set by the Compose file",
            "give it {what} under `labels` of `build` in the Compose file, or leave it out there",
        )
    found = pair(shipped, "LABEL", label)
    if found is None:
        base = None if shipped.recipe is None else shipped.recipe.final.root
        if isinstance(base, ImageBase) and shipped.recipe is not None:
            opening = shipped.recipe.final.lineage[0].opening
            return opening.span, f", from the base image `{base.reference}`", stage
        return shipped.origin or config, "", stage
    instruction, given = found
    names = [] if given.raw is None or given.raw.startswith("'") else variables_of(given.raw)
    if not names and given.value != value:
        return (
            config,
            ", set when it was built",
            "give it {what} where the image is built, or leave it out there",
        )
    if not names:
        return instruction.span, "", f'write `LABEL {label}="..."` with {{what}}, or leave it out'
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    return (
        instruction.span,
        f", made of {listed}",
        f"hand {listed} over so that this is {{what}}, or leave it out",
    )


def _is_version(value: str) -> bool:
    if value in _NO_RELEASE or _SEMANTIC.fullmatch(value):
        return True
    try:
        Version(value)
    except InvalidVersion:
        return False
    return True


def _is_date_time(value: str) -> bool:
    if not _DATE_TIME.fullmatch(value):
        return False
    try:
        # A leap second is one that Python cannot hold.
        dt.datetime.fromisoformat(value.upper().replace(":60", ":59"))
    except ValueError:
        return False
    return True


def _is_licence(value: str) -> bool:
    try:
        canonicalize_license_expression(value)
    except InvalidLicenseExpression:
        return False
    return True


def _is_url(value: str) -> bool:
    return _URL.fullmatch(value) is not None


_KINDS = {
    "version": ("a version such as `1.4.0`", _is_version),
    "created": ("a date and time such as `2027-06-30T12:00:00Z`", _is_date_time),
    "licenses": ("an SPDX expression such as `Apache-2.0`", _is_licence),
    "url": ("a URL", _is_url),
    "source": ("a URL", _is_url),
    "documentation": ("a URL", _is_url),
}
