"""What a command in a container prints, told apart while it comes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from docker.api.client import APIClient

_CHUNK = 1 << 15
_HEADER = 8
"""Bytes before each piece: which output it is of, and how long it is."""
_STDERR = 2


@contextlib.contextmanager
def started(api: APIClient, command: str, silence: float) -> Iterator[Iterator[tuple[bool, bytes]]]:
    """Starts the prepared `command`; whether it is of standard error, and the bytes, of each piece that it prints.

    Given up when the context is left before its end, or when nothing was printed for `silence` seconds.
    """
    from docker.errors import create_api_error_from_http_exception  # noqa: PLC0415  # loaded with the engine
    from requests import HTTPError  # noqa: PLC0415

    # The client has a method for this, which leaves the connection open when not everything is read.
    url = f"{api.base_url}/v{api.api_version}/exec/{command}/start"
    asked = {"Detach": False, "Tty": False}
    with api.post(url, json=asked, stream=True, timeout=(api.timeout, max(silence, 1.0))) as answer:
        try:
            answer.raise_for_status()
        except HTTPError as error:
            create_api_error_from_http_exception(error)
        yield pieces(answer.iter_content(_CHUNK))


def pieces(chunks: Iterable[bytes]) -> Iterator[tuple[bool, bytes]]:
    """What the engine sends as `chunks`, which end anywhere: whether it is of standard error, and the bytes."""
    held = bytearray()
    kind, left = 0, 0
    for chunk in chunks:
        held += chunk
        while len(held) >= (1 if left else _HEADER):
            if not left:
                kind, left = held[0], int.from_bytes(held[4:_HEADER], "big")
                del held[:_HEADER]
                continue
            piece = bytes(held[:left])
            del held[:left]
            left -= len(piece)
            yield kind == _STDERR, piece
