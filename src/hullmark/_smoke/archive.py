"""Files of a container, read out of the archive that the engine makes of them."""

from __future__ import annotations

import contextlib
import io
import tarfile
import time
from typing import TYPE_CHECKING

from hullmark.errors import Unavailable
from hullmark.model.size import format_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docker.models.containers import Container

_CHUNK = 1 << 16
_SECONDS = 60.0
"""Seconds after which an archive that still goes on is given up."""


@contextlib.contextmanager
def archived(container: Container, path: str, chunk: int = _CHUNK) -> Iterator[Iterator[bytes]]:
    """The archive of `path` in `container`, as it comes; given up when the context is left before its end."""
    from docker.errors import create_api_error_from_http_exception  # noqa: PLC0415  # loaded with the engine
    from requests import HTTPError  # noqa: PLC0415

    assert container.client is not None
    api = container.client.api
    # The client has a method for this, which leaves the connection open when the archive is not read to its end.
    url = f"{api.base_url}/v{api.api_version}/containers/{container.id}/archive"
    with api.get(url, params={"path": path}, stream=True, timeout=api.timeout) as answer:
        try:
            answer.raise_for_status()
        except HTTPError as error:
            create_api_error_from_http_exception(error)
        yield answer.iter_content(chunk)


def first_file(container: Container, path: str, *, most: int) -> bytes | None:
    """The contents of the file `path` of `container`, or of the first one in that directory; `None` without a file.

    Raises `Unavailable` when that takes more than `most` bytes, or too long, and what the engine answers otherwise:
    `NotFound` where nothing is there.
    """
    with archived(container, path) as chunks:
        reader = _Limited(chunks, f"`{path}` of {container.name}", most)
        # As a stream: what comes behind the file is not read.
        try:
            with tarfile.open(fileobj=reader, mode="r|", bufsize=_CHUNK) as archive:
                for member in archive:
                    if member.isfile():
                        reader.refuse(member.size)
                        stream = archive.extractfile(member)
                        return stream.read() if stream else b""
        except tarfile.TarError as error:
            raise Unavailable(f"{reader.what} cannot be read: {error}") from error
    return None


class _Limited(io.RawIOBase):
    """The chunks of an archive as a file that refuses to be larger than it may, or to take longer."""

    def __init__(self, chunks: Iterator[bytes], what: str, most: int) -> None:
        super().__init__()
        self.what = what
        self._chunks = chunks
        self._most = most
        self._seen = 0
        self._rest = b""
        self._deadline = time.monotonic() + _SECONDS

    def refuse(self, size: int) -> None:
        """Raises `Unavailable` when `size` is more than may be read."""
        if size > self._most:
            raise Unavailable(f"{self.what} is larger than {format_size(self._most)}")

    def read(self, size: int = -1, /) -> bytes:
        """The next `size` bytes, or fewer at the end."""
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._seen += len(chunk)
            self.refuse(self._seen - 2 * _CHUNK)  # headers, and what was read ahead
            if time.monotonic() > self._deadline:
                raise Unavailable(f"{self.what} takes too long to be read")
            self._rest += chunk
        found, self._rest = self._rest[:size], self._rest[size:]
        return found
