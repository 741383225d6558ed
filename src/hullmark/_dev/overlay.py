"""Which Compose files make the development stack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hullmark._compose import compose_files
from hullmark.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from hullmark.model.project import Settings

OVERLAYS = ("compose.dev.yaml", "compose.dev.yml", "docker-compose.dev.yml", "docker-compose.dev.yaml")
"""What is laid over the project's own files, by convention."""


def with_overlay(root: Path, settings: Settings, *, named: bool) -> Settings:
    """`settings` with the Compose files of the development stack.

    These are what the command line names (`named`), what `[dev]` says, or the project's own with the first of
    `OVERLAYS` that is there. Raises `ConfigurationError` when there is no Compose file.
    """
    if named:
        return settings
    if settings.dev_compose:
        origin = dict(settings.origins).get("dev.compose", "hullmark.toml")
        missing = [name for name in settings.dev_compose if not (root / name).is_file()]
        if missing:
            raise ConfigurationError([f"{origin}: `{name}` does not exist" for name in missing])
        return replace(settings, compose=settings.dev_compose)
    files = compose_files(root, settings)
    overlay = next((root / name for name in OVERLAYS if (root / name).is_file()), None)
    if overlay is not None and overlay not in files:
        files = (*files, overlay)
    return replace(settings, compose=tuple(str(file) for file in files))
