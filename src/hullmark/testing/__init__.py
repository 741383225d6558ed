"""Doubles for the seams of hullmark, for tests of rules, scanners and projects that use it as a library."""

from __future__ import annotations

from hullmark.testing._archives import (
    COMPRESSIONS,
    ImageFiles,
    archive_of,
    compress,
    docker_files,
    layer_tar,
    oci_files,
    write_files,
)
from hullmark.testing._commands import ScriptedCommands
from hullmark.testing._images import synthetic_image
from hullmark.testing._registry import Fault, FaultyRegistry, Seen

__all__ = [
    "COMPRESSIONS",
    "Fault",
    "FaultyRegistry",
    "ImageFiles",
    "ScriptedCommands",
    "Seen",
    "archive_of",
    "compress",
    "docker_files",
    "layer_tar",
    "oci_files",
    "synthetic_image",
    "write_files",
]
