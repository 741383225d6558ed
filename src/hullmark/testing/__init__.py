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
from hullmark.testing._secrets import SECRET_FORMATS, Planted, planted

__all__ = [
    "COMPRESSIONS",
    "SECRET_FORMATS",
    "Fault",
    "FaultyRegistry",
    "ImageFiles",
    "Planted",
    "ScriptedCommands",
    "Seen",
    "archive_of",
    "compress",
    "docker_files",
    "layer_tar",
    "oci_files",
    "planted",
    "synthetic_image",
    "write_files",
]
