"""The push side of a registry in this process: uploads, mounts, manifests, and lists of what refers to them."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Reply = tuple[int, bytes, dict[str, str]]
"""Status, body and headers."""
_UPLOADS = re.compile(r"/v2/(.+)/blobs/uploads/")
_UPLOAD = re.compile(r"/v2/(.+)/blobs/uploads/([0-9]+)")
_MANIFEST = re.compile(r"/v2/(.+)/manifests/(.+)")
_PIECE = re.compile(r"([0-9]+)-([0-9]+)")


@dataclass(kw_only=True)
class Uploads:
    """What clients are sending, for a registry that keeps it with `keep_blob` and `keep_manifest`."""

    blobs: Mapping[str, bytes]
    keep_blob: Callable[[bytes], object]
    keep_manifest: Callable[[str, str, bytes, str], object]
    largest: int | None = None
    """Bytes of a request above which it is refused."""
    smallest: int = 0
    """Bytes that a piece has to have, unless it is the last one."""
    knows_subjects: bool = True
    """Whether it keeps lists of what refers to a manifest."""
    referring: dict[tuple[str, str], list[dict[str, Any]]] = field(default_factory=dict)
    """By repository and digest of the manifest that is referred to."""
    _open: dict[str, bytearray] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=itertools.count)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply | None:
        """The answer to a request that changes something, or is about an upload; `None` for any other."""
        parts = urlsplit(path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if self.largest is not None and len(body) > self.largest:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, b"", {}
        with self._lock:
            if method == "POST" and (found := _UPLOADS.fullmatch(parts.path)):
                return self._begin(found[1], asked)
            if found := _UPLOAD.fullmatch(parts.path):
                return self._go_on(method, found[1], found[2], asked, headers, body)
            if method == "PUT" and (found := _MANIFEST.fullmatch(parts.path)):
                return self._manifest(found[1], found[2], body, headers.get("content-type", ""))
        return None

    def _begin(self, repository: str, asked: Mapping[str, str]) -> Reply:
        if asked.get("mount") in self.blobs and "from" in asked:
            location = f"/v2/{repository}/blobs/{asked['mount']}"
            return HTTPStatus.CREATED, b"", {"Location": location}
        number = str(next(self._numbers))
        self._open[number] = bytearray()
        more = {"OCI-Chunk-Min-Length": str(self.smallest)} if self.smallest else {}
        return HTTPStatus.ACCEPTED, b"", {**self._location(repository, number), **more}

    @staticmethod
    def _location(repository: str, number: str) -> dict[str, str]:
        return {"Location": f"/v2/{repository}/blobs/uploads/{number}?state=kept"}

    def _go_on(
        self,
        method: str,
        repository: str,
        number: str,
        asked: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        held = self._open.get(number)
        if held is None or asked.get("state") != "kept":
            return _refusal(HTTPStatus.NOT_FOUND, "BLOB_UPLOAD_UNKNOWN")
        if method == "PATCH":
            piece = _PIECE.fullmatch(headers.get("content-range", ""))
            if piece is None or int(piece[1]) != len(held) or int(piece[2]) + 1 - len(held) != len(body):
                return _refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "RANGE_INVALID")
            held += body
        if method == "PUT":
            return self._complete(repository, number, asked.get("digest", ""), bytes(held) + body)
        status = HTTPStatus.ACCEPTED if method == "PATCH" else HTTPStatus.NO_CONTENT
        return status, b"", {**self._location(repository, number), "Range": f"0-{max(len(held) - 1, 0)}"}

    def take(self, path: str, part: bytes) -> None:
        """Holds what has come of a request that broke off."""
        if found := _UPLOAD.fullmatch(urlsplit(path).path):
            with self._lock:
                self._open.get(found[2], bytearray()).extend(part)

    def _complete(self, repository: str, number: str, digest: str, content: bytes) -> Reply:
        del self._open[number]
        if digest != f"sha256:{hashlib.sha256(content).hexdigest()}":
            return _refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID")
        self.keep_blob(content)
        headers = {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest}
        return HTTPStatus.CREATED, b"", headers

    def _manifest(self, repository: str, which: str, content: bytes, media_type: str) -> Reply:
        document = json.loads(content)
        named = [document[key]["digest"] for key in ("config",) if key in document]
        named += [layer["digest"] for layer in document.get("layers", [])]
        if not set(named) <= set(self.blobs):
            return _refusal(HTTPStatus.NOT_FOUND, "MANIFEST_BLOB_UNKNOWN")
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if which.startswith("sha256:") and which != digest:
            return _refusal(HTTPStatus.BAD_REQUEST, "DIGEST_INVALID")
        self.keep_manifest(repository, which, content, media_type)
        headers = {"Location": f"/v2/{repository}/manifests/{digest}", "Docker-Content-Digest": digest}
        subject = document.get("subject")
        if subject is not None and self.knows_subjects:
            self.referring.setdefault((repository, subject["digest"]), []).append(
                {
                    "mediaType": media_type,
                    "digest": digest,
                    "size": len(content),
                    "artifactType": document.get("artifactType", ""),
                    "annotations": document.get("annotations", {}),
                }
            )
            headers["OCI-Subject"] = subject["digest"]
        return HTTPStatus.CREATED, b"", headers


def _refusal(status: int, code: str) -> Reply:
    body = json.dumps({"errors": [{"code": code, "message": code.lower().replace("_", " ")}]}).encode()
    return status, body, {"Content-Type": "application/json"}
