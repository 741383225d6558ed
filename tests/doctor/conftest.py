"""The logs that are kept, and what is known of each."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

LOGS = Path(__file__).parent / "logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptLog:
    """One entry of `logs/index.toml`."""

    file: str
    situation: str | None
    """What it tells of; `None` for one of a build or a run that went well."""
    values: dict[str, str]
    service: str | None
    provenance: str

    def text(self) -> str:
        return (LOGS / self.file).read_text(encoding="utf-8")


def kept_logs() -> tuple[KeptLog, ...]:
    """Every log that is kept, sorted by name."""
    index = tomllib.loads((LOGS / "index.toml").read_text(encoding="utf-8"))
    return tuple(
        KeptLog(
            file=each["file"],
            situation=each.get("situation"),
            values=each.get("values", {}),
            service=each.get("service"),
            provenance=each["provenance"],
        )
        for each in sorted(index["log"], key=lambda each: str(each["file"]))
    )
