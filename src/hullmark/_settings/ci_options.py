"""`[ci]`: what the files of a CI system are called, and what their jobs show beside the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hullmark._settings.kinds import FLAG, Kind, Option, Table, describe
from hullmark.model.project import CiSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

# It is a part of names of files, jobs and images.
_NAME = r"[a-z0-9]+(?:[._-][a-z0-9]+)*"


def _name(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_NAME, value):
        raise ValueError(
            f"expected lower-case letters and digits, with single `-`, `.` or `_` between, got {describe(value)}"
        )
    return value


CI = Table(
    key="ci",
    help="What `hullmark ci` writes for a CI system. See [ci.md](ci.md).",
    options=(
        Option(
            key="name",
            kind=Kind(name="lower-case name", read=_name, schema={"type": "string", "pattern": f"^{_NAME}$"}),
            help="What tells its files and jobs from those of other projects of the repository.",
            default="the directory of the project, none at the top of the repository",
            example='"shop"',
        ),
        Option(
            key="annotations",
            kind=FLAG,
            help="Whether `hullmark ci run` annotates the lines of a change in a job of GitHub.",
            default="true",
            example="false",
        ),
        Option(
            key="code-scanning",
            kind=FLAG,
            help="Whether the workflow of GitHub hands the report to code scanning.",
            default="true",
            example="false",
        ),
    ),
)


def ci_settings(values: Mapping[str, Any]) -> CiSettings:
    """What the table `[ci]` says."""
    defaults = CiSettings()
    return CiSettings(
        name=values.get("name"),
        annotations=values.get("annotations", defaults.annotations),
        code_scanning=values.get("code-scanning", defaults.code_scanning),
    )
