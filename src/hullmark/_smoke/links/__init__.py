"""Links: connections tried from inside the network of the container that has to make them."""

from __future__ import annotations

from hullmark._smoke.links.attempts import run_link
from hullmark._smoke.links.derived import derived_links

__all__ = ["derived_links", "run_link"]
