"""From a report to text: one module per format, each a pure function of the report."""

from __future__ import annotations

from hullmark._reporters.interface import FORMATS, VIEWS, Style, render

__all__ = ["FORMATS", "VIEWS", "Style", "render"]
