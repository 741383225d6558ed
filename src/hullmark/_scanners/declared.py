"""Where a project declares the packages that it asks for: file and line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hullmark.model.location import SourceSpan, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hullmark.model.context import Manifest

_KINDS = {"PyPI": "python", "npm": "npm"}
_NAME = r"[-_.]+"


class Declarations:
    """What the manifests in the build context of one service declare."""

    def __init__(self, root: Path, context: Path, manifests: Iterable[Manifest]) -> None:
        self._root = root
        self._context = context
        self._manifests = tuple(manifests)

    def find(self, ecosystem: str, package: str) -> SourceSpan | None:
        """The first line that declares `package` of `ecosystem`; `None` where no manifest does."""
        kind = _KINDS.get(ecosystem)
        for manifest in self._manifests:
            if manifest.kind == kind and any(_same(name, package) for name in manifest.names):
                path = self._context / manifest.path
                return SourceSpan(path=shown(path, self._root), line=_line(path, package, kind))
        return None


def _same(one: str, other: str) -> bool:
    return re.sub(_NAME, "-", one).lower() == re.sub(_NAME, "-", other).lower()


def _line(path: Path, package: str, kind: str) -> int:
    """The line of a manifest that names `package`; the first where it is not to be found as it is written there."""
    name = _NAME.join(re.escape(part) for part in re.split(_NAME, package))
    quoted = rf'"{re.escape(package)}"\s*:' if kind == "npm" else rf"(?i)^[^#]*?(?<![\w.-]){name}(?![\w-])"
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError):
        return 1
    return next((number for number, line in enumerate(lines, 1) if re.search(quoted, line)), 1)
