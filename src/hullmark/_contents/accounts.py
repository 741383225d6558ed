"""Which number a user of an image has, as its own `/etc/passwd` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hullmark.model.filesystem import FileSystem

_FILE = "/etc/passwd"
_LARGEST = 1 << 20


class AccountCapture:
    """Keeps the list of users of an image."""

    name = "accounts/1"

    def wants(self, path: str, size: int, mode: int) -> bool:  # noqa: ARG002  # the protocol's
        """Whether the file at `path` is that list."""
        return path == _FILE and size <= _LARGEST

    def take(self, path: str, content: memoryview) -> bytes | None:
        """All of it, and nothing of the files that others want."""
        return bytes(content) if self.wants(path, len(content), 0) else None


def uid_of(files: FileSystem, user: str) -> int | None:
    """The number of `user`, a `USER` with or without a group; `None` where the image does not say.

    A number is itself. The layers have to be read with an `AccountCapture`; of users with one name the first counts,
    as for the engine.
    """
    name = user.partition(":")[0]
    if not name:
        return 0
    if name.isascii() and name.isdecimal():
        return int(name)
    target = files.resolve(_FILE)
    text = (files.captured(target) if target else None) or b""
    for line in text.decode("utf-8", "replace").splitlines():
        fields = line.split(":")
        if fields[0] == name and len(fields) > 2 and fields[2].isascii() and fields[2].isdecimal():  # noqa: PLR2004
            return int(fields[2])
    return 0 if name == "root" else None
