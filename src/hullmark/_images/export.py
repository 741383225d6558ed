"""The archive of an image as an engine sends it, for as long as nobody asks to stop."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from hullmark.errors import Interrupted, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    import docker
    import requests

_TICK = 0.1
_PIECE = 1 << 20
_AHEAD = 8
"""Pieces that have come and that nobody has taken yet."""


class Export:
    """The archive of the image `image_id`, which messages call `name`, received on a thread of its own.

    An engine puts the archive together before it sends the first byte, for minutes where the image is large, and
    nothing ends that wait from outside. So the thread waits, and nobody waits for the thread.
    """

    def __init__(self, api: docker.APIClient, image_id: str, name: str) -> None:
        self._api = api
        self._image_id = image_id
        self._name = name
        self._pieces: queue.Queue[bytes | Exception | None] = queue.Queue(_AHEAD)
        self._left = threading.Event()

    def pieces(self, cancelled: threading.Event) -> Iterator[bytes]:
        """The archive in pieces; raises `Interrupted` soon after `cancelled` is set."""
        threading.Thread(target=self._receive, name="hullmark-engine", daemon=True).start()
        try:
            while (piece := self._next(cancelled)) is not None:
                yield piece
        finally:
            self._left.set()

    def _next(self, cancelled: threading.Event) -> bytes | None:
        while not cancelled.is_set():
            with contextlib.suppress(queue.Empty):
                piece = self._pieces.get(timeout=_TICK)
                if isinstance(piece, Exception):
                    raise piece
                return piece
        raise Interrupted

    def _receive(self) -> None:
        url = f"{self._api.base_url}/v{self._api.api_version}/images/{self._image_id}/get"
        try:
            # However long it takes: an engine that does not answer at all was found out before. Not by way of
            # `get_image`, whose response nobody can close.
            with self._api.get(url, stream=True, timeout=None) as response:
                if not response.ok:
                    raise self._refused(response)
                for piece in response.iter_content(_PIECE):
                    if not self._hand_over(piece):
                        return
        except Exception as error:  # noqa: BLE001  # raised where the pieces are used
            self._hand_over(error)
        else:
            self._hand_over(None)

    def _hand_over(self, piece: bytes | Exception | None) -> bool:
        """Whether somebody still takes pieces."""
        while not self._left.is_set():
            with contextlib.suppress(queue.Full):
                self._pieces.put(piece, timeout=_TICK)
                return True
        return False

    def _refused(self, response: requests.Response) -> Unavailable:
        try:
            told = str(response.json()["message"])
        except (ValueError, KeyError, TypeError):
            told = f"it answers with status {response.status_code}"
        return Unavailable(f"the engine could not hand over `{self._name}`: {told}")
