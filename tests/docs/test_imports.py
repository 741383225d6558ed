"""Imports run the way that docs/architecture.md shows."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/hullmark"
# The facade loads on demand what is asked of it, and the doubles for tests may be of anything.
ELSEWHERE = {"__init__", "testing"}


def _levels() -> dict[str, int]:
    """The rooms of the house and how far right they stand in the picture."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    found = re.search(r"^```text\n(errors <- .*?)```$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    steps = found[1].split("<-")
    return {room: level for level, step in enumerate(steps) for room in step.split()}


def _imports() -> dict[str, dict[str, str]]:
    """For every room: the other rooms that it imports, each with a file that does, for types included."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.ImportFrom(module="hullmark", level=0):
                    names = [f"hullmark.{alias.name}" for alias in node.names]
                case ast.ImportFrom(module=str(name), level=0):
                    names = [name]
                case ast.Import():
                    names = [alias.name for alias in node.names]
                case _:
                    continue
            for name in names:
                first, _, rest = name.partition(".")
                other = rest.partition(".")[0]
                if first == "hullmark" and other not in {"", "__version__", room}:
                    found.setdefault(room, {})[other] = path.relative_to(SOURCE).as_posix()
    return found


def test_no_import_goes_against_the_picture() -> None:
    levels = _levels()
    for room, others in _imports().items():
        if room in ELSEWHERE:
            continue
        for other, path in others.items():
            assert other in levels, f"{path} imports {other}, which the picture does not show"
            assert levels[other] <= levels[room], f"{path} imports {other}, which stands right of {room}"


def test_no_imports_go_round_in_a_circle() -> None:
    graph = {room: set(others) for room, others in _imports().items() if room not in ELSEWHERE}
    order = list(TopologicalSorter(graph).static_order())
    assert order.index("errors") < order.index("model") < order.index("_cli")
