"""What the Python and Node.js software of an image requires and does not find there, told without running any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hullmark._contents.dependencies_npm import missing_modules
from hullmark._contents.dependencies_python import missing_distributions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hullmark.model.dependency import Missing
    from hullmark.model.filesystem import FileSystem
    from hullmark.model.owner import Ownership

_ENVIRONMENT_FILE = "/pyvenv.cfg"
_LARGEST = 1 << 14


class EnvironmentCapture:
    """Keeps what virtual environments of Python say of themselves: whether they see the system's packages."""

    name = "environments/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether the file describes a virtual environment."""
        return path.endswith(_ENVIRONMENT_FILE) and size <= _LARGEST

    def take(self, path: str, content: memoryview) -> bytes | None:
        """All of it, and nothing of the files that others want."""
        return bytes(content) if self.wants(path, len(content), 0) else None


def missing_packages(
    files: FileSystem,
    ownership: Ownership,
    *,
    environment: Mapping[str, str] | None = None,
    declared: Iterable[tuple[str, str]] = (),
    platform: str = "linux/amd64",
) -> tuple[Missing, ...]:
    """Every requirement of Python and Node.js software that is not met, the surest first.

    The layers have to be read with a `PackageCapture` and an `EnvironmentCapture`. `environment` is the image's;
    `declared` are requirements of the application that are not in the image, each with the file that states it.
    """
    found = [
        *missing_distributions(files, ownership, declared=declared, platform=platform),
        *missing_modules(files, ownership, environment or {}),
    ]
    return tuple(sorted(found, key=lambda each: each.sort_key))
