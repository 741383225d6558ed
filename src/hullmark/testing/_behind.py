"""What stands behind a registry in this process: another one that answers, and tokens that expire."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hullmark.testing._uploads import Reply

_OF_A_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})
"""Headers that say nothing of the answer."""
_SECONDS = 60


def ask(host: str, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """The answer of the registry at `host`, which is spoken to without TLS and without a password."""
    connection = http.client.HTTPConnection(host, timeout=_SECONDS)
    passed = {name: value for name, value in headers.items() if name not in _OF_A_CONNECTION}
    passed.pop("authorization", None)
    try:
        connection.request(method, path, body=body, headers=passed)
        answer = connection.getresponse()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_A_CONNECTION}
        if method == "HEAD":
            kept["Content-Length"] = answer.getheader("Content-Length", "0")
        return answer.status, answer.read(), kept
    finally:
        connection.close()


@dataclass(kw_only=True)
class Tokens:
    """Tokens that are wanted with every request, and that expire."""

    uses: int | None = None
    """How many requests each is good for; none is wanted where `None`."""
    refused: int = 0
    """Requests without one that is still good."""
    _used: dict[str, int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, host: str, path: str, headers: Mapping[str, str]) -> Reply | None:
        """The answer to a request for a token, and to one without; `None` where nothing stands in its way."""
        with self._lock:
            if self.uses is None:
                return None
            if path.startswith("/token"):
                token = f"token-{next(self._numbers)}"
                self._used[token] = 0
                return (
                    HTTPStatus.OK,
                    json.dumps({"token": token}).encode(),
                    {"Content-Type": "application/json"},
                )
            token = headers.get("authorization", "").removeprefix("Bearer ")
            if self._used.get(token, self.uses) < self.uses:
                self._used[token] += 1
                return None
            self.refused += 1
            realm = f'Bearer realm="http://{host}/token",service="tests"'
            return HTTPStatus.UNAUTHORIZED, b"", {"WWW-Authenticate": realm}
