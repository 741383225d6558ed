"""Images, wherever they are: engines, registries, archives and directories."""

from __future__ import annotations

from hullmark._images.interface import Request
from hullmark._images.reference import SCHEMES, open_image

__all__ = ["SCHEMES", "Request", "open_image"]
