"""Programs that look for known vulnerabilities in an image, each behind the same two questions."""

from __future__ import annotations

from hullmark._scanners.interface import Available, Missing, Scanner
from hullmark._scanners.trivy import Trivy

__all__ = ["Available", "Missing", "Scanner", "Trivy"]
