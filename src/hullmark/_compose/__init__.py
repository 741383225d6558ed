"""Compose files, resolved by Compose itself, into a `Project`."""

from __future__ import annotations

from hullmark._compose.composition import TEST_ENV_FILE, TEST_FILES, compositions
from hullmark._compose.environment_files import environment_files
from hullmark._compose.given import exchanged, with_images, with_stage_images
from hullmark._compose.isolate import carrier, isolate, unscaled, with_restart_policies
from hullmark._compose.profiles import check_profiles
from hullmark._compose.resolve import (
    chosen_services,
    compose_files,
    resolve,
)

__all__ = [
    "TEST_ENV_FILE",
    "TEST_FILES",
    "carrier",
    "check_profiles",
    "chosen_services",
    "compose_files",
    "compositions",
    "environment_files",
    "exchanged",
    "isolate",
    "resolve",
    "unscaled",
    "with_images",
    "with_restart_policies",
    "with_stage_images",
]
