"""Who looks for known vulnerabilities in an image, each behind the same questions; and what is made of the answers."""

from __future__ import annotations

from hullmark._scanners.embedded import Embedded
from hullmark._scanners.grype import Grype
from hullmark._scanners.interface import Available, Missing, Scanned, Scanner, Target
from hullmark._scanners.osv_scanner import OsvScanner
from hullmark._scanners.trivy import Trivy

__all__ = [
    "Available",
    "Embedded",
    "Grype",
    "Missing",
    "OsvScanner",
    "Scanned",
    "Scanner",
    "Target",
    "Trivy",
]
