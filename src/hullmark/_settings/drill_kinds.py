"""The drills that an option names."""

from __future__ import annotations

from typing import Any

from hullmark._settings.kinds import Kind, describe
from hullmark.model.drill import Drill


def _drills(value: Any) -> tuple[Drill, ...]:
    words = tuple(str(drill) for drill in Drill)
    if not isinstance(value, list) or not all(word in (*words, "all") for word in value):
        shown = ", ".join(f"`{word}`" for word in (*words, "all"))
        wrong = [word for word in value if word not in words] if isinstance(value, list) else [value]
        raise ValueError(f"expected a list of {shown}, got {describe(wrong[0])}")
    return tuple(drill for drill in Drill if str(drill) in value or "all" in value)


DRILLS = Kind(
    name="list of drills",
    read=_drills,
    schema={"type": "array", "items": {"enum": [*(str(drill) for drill in Drill), "all"]}},
    scalar=False,
)
