"""Where images are read from: so far a Docker engine."""

from __future__ import annotations

from hullmark._images.docker import open_image

__all__ = ["open_image"]
