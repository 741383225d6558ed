"""`[history]`: where what was measured is kept, and by how much images may creep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hullmark._settings.kinds import TEXT, Kind, Option, Table, describe
from hullmark.model.project import HistorySettings

if TYPE_CHECKING:
    from collections.abc import Mapping

_URL = r"(?:sqlite:.+|postgres(?:ql)?://\S+)"
_PERCENT = r"([0-9]{1,4}(?:\.[0-9]+)?)\s*%"


def _url(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_URL, value):
        # What was given may hold a password, so it is not told.
        raise ValueError("expected `sqlite:PATH` or `postgresql://USER@HOST/DATABASE`")
    return value


def _percent(value: Any) -> float:
    found = re.fullmatch(_PERCENT, value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"expected a share such as `5 %`, got {describe(value)}")
    return float(found[1]) / 100


HISTORY = Table(
    key="history",
    help="Where `hullmark check --record` keeps what it measures, and by how much images may creep. See "
    "[history.md](history.md).",
    options=(
        Option(
            key="url",
            kind=Kind(name="database", read=_url, schema={"type": "string", "pattern": f"^{_URL}$"}),
            help="The database: `sqlite:PATH`, relative to the project, or `postgresql://USER@HOST/DATABASE`, whose "
            "password stands in the environment variable `HULLMARK_HISTORY_PASSWORD`.",
            default="a file of the user's for each directory",
            environment="HULLMARK_HISTORY_URL",
            example='"postgresql://hullmark@db.example/history"',
        ),
        Option(
            key="branch",
            kind=TEXT,
            help="The branch whose records are shown and judged.",
            default="all",
            environment="HULLMARK_HISTORY_BRANCH",
            flag="--branch",
            example='"main"',
        ),
        Option(
            key="trend",
            kind=Kind(
                name="share",
                read=_percent,
                schema={"type": "string", "pattern": rf"^\s*{_PERCENT}\s*$", "examples": ["5 %"]},
            ),
            help="The most by which an image may grow over the records that are looked at, unpacked.",
            default="5 %",
            environment="HULLMARK_TREND",
            flag="--trend",
        ),
    ),
)


def history_settings(values: Mapping[str, Any]) -> HistorySettings:
    """What the table `[history]` says."""
    defaults = HistorySettings()
    return HistorySettings(
        url=values.get("url"),
        branch=values.get("branch"),
        trend=values.get("trend", defaults.trend),
    )
