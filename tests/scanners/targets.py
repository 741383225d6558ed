"""Images to scan, for scanners that are played by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._scanners import Target
from hullmark.model.inventory import Inventory

if TYPE_CHECKING:
    from pathlib import Path


def target(report: Path, *, inventory: Inventory | None = None) -> Target:
    """The image `web:dev` of the service `web`, whose report goes to the file `report`."""
    return Target(
        image="web:dev", service="web", inventory=inventory or Inventory(packages=()), report=report
    )
