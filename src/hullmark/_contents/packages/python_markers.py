"""How Python's packaging names things: distributions, and the Python that markers are read for."""

from __future__ import annotations

import re

ASSUMED = "3.13"
"""The version of Python that markers are read for where the image does not say."""
_SEPARATORS = re.compile(r"[-_.]+")


def normal(name: str) -> str:
    """The name of a distribution, or of an extra, however it is written."""
    return _SEPARATORS.sub("-", name).lower()


def marker_environment(version: str, machine: str, extra: str = "") -> dict[str, str]:
    """What markers are evaluated with for CPython `version` on Linux and `machine`."""
    return {
        "extra": extra,
        "implementation_name": "cpython",
        "implementation_version": f"{version}.0",
        "os_name": "posix",
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{version}.0",
        "python_version": version,
        "sys_platform": "linux",
    }
