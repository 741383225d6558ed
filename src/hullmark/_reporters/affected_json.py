"""What a change touches, for programs, in the shape that `affected_v1` promises.

It is made without those types, as loading them takes longer than git takes to compare.
"""

from __future__ import annotations

import json as standard
from typing import TYPE_CHECKING, Any

from hullmark import __version__
from hullmark.model.text import readable

if TYPE_CHECKING:
    from hullmark.model.affected import Affected, Explanation, Reason


def json(affected: Affected) -> str:
    """The report as JSON; what is not UTF-8 in it is replaced."""
    inputs = {each.today.service: _inputs(each) for each in affected.explanations}
    described = {
        "schema": "hullmark/affected/1",
        "tool": {"name": "hullmark", "version": __version__},
        "project": affected.project,
        "base": affected.changes.base,
        "head": affected.changes.head,
        "everything": affected.changes.everything,
        "build": list(affected.to_build),
        "smoke": list(affected.to_smoke),
        "services": [
            {
                "name": each.name,
                "build": bool(each.build),
                "smoke": bool(each.reasons),
                "build_reasons": [_reason(reason) for reason in each.build],
                "smoke_reasons": [_reason(reason) for reason in each.smoke],
                "inputs": inputs.get(each.name),
            }
            for each in affected.services
        ],
        "changes": [
            {"path": each.path, "kind": each.kind.value, "old": each.old} for each in affected.changes.changes
        ],
        "notes": list(affected.notes),
    }
    return readable(standard.dumps(described, indent=2, ensure_ascii=False)) + "\n"


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "path": reason.path or None,
        "text": reason.text,
        "file": None if reason.span is None else reason.span.path,
        "line": None if reason.span is None else reason.span.line,
    }


def _inputs(explanation: Explanation) -> dict[str, Any]:
    today = explanation.today
    return {
        "digest": today.digest,
        "unknown": today.unknown,
        "entries": dict(today.entries),
        "recorded": explanation.recorded,
        "differs": [{"name": each.name, "was": each.was, "now": each.now} for each in explanation.differs],
    }
