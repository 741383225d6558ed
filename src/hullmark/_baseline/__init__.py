"""What a project is compared with: an earlier run, kept in a file, in git or in a registry, or another image."""

from __future__ import annotations
