"""From the bytes of a blob to the layer in it: told apart, decompressed, hashed on both sides and walked, in one pass."""

from __future__ import annotations

import hashlib
import queue
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from hullmark._images.compression import Measured
from hullmark._images.decompression import LONGEST_MAGIC, decoder_for, other_compression, too_large
from hullmark._images.interface import Unreadable, Walked
from hullmark._images.tar import TarWalk
from hullmark.errors import DamagedImage, Interrupted
from hullmark.model.digest import DiffId, Digest

if TYPE_CHECKING:
    from collections.abc import Callable

    from hullmark._images.decompression import Decoder
    from hullmark._images.interface import Blob, Buffer, Request

_BEHIND = 8
"""Pieces that wait between the two stages of a pipeline."""


CHANGED = "its bytes have been changed or lost since it was written: save, copy or pull the image again"
"""What to do where digests differ."""


class Sink(Protocol):
    """Takes the bytes of a tar."""

    def write(self, piece: Buffer, /) -> None:
        """The next bytes, valid during the call unless they are `bytes`."""
        ...


class LayerWalk:
    """The second half of the way: the tar of a layer, hashed and walked.

    Bytes after those that are no tar are hashed all the same: where the digest is another one, that says more.
    """

    def __init__(self, request: Request, name: str) -> None:
        self.walk = TarWalk(request, name, offsets=request.scanner is not None)
        self._stream = None if request.scanner is None else request.scanner.begin(self.walk.content)
        self.hash = hashlib.sha256()
        self.measured: Measured | None = None
        """What finds out how large its blob becomes, where that is asked for."""
        self.error: DamagedImage | None = None
        """Why what has come is no layer, once that is known."""

    def write(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self.hash.update(piece)
        if self.error is not None:
            return
        try:
            self.walk.feed(piece)
        except DamagedImage as error:
            self.error = error
            return
        if self.measured is not None:
            self.measured.write(piece)
        if self._stream is not None:
            self._stream.write(piece)

    @property
    def diff_id(self) -> DiffId:
        """That of the bytes that have come."""
        return DiffId.parse(f"sha256:{self.hash.hexdigest()}")

    def close(self) -> Walked:
        """The layer, once all bytes have come; raises `DamagedImage` where they are none."""
        if self.error is not None:
            raise self.error
        table, captured = self.walk.finish()
        return Walked(
            diff_id=self.diff_id,
            table=table,
            captured=captured,
            scanned=None if self._stream is None else self._stream.finish(),
        )


class Behind:
    """Does the work of `target` on a thread of its own, a few pieces behind."""

    def __init__(self, target: Sink) -> None:
        self._target = target
        self._queue: queue.Queue[bytes | None] = queue.Queue(_BEHIND)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="hullmark-layer", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._target.write(piece)
                except BaseException as error:  # noqa: BLE001  # raised where the bytes come from
                    self._error = error

    def write(self, piece: Buffer) -> None:
        """Hands on the next bytes; raises what became of earlier ones."""
        self._queue.put(piece if isinstance(piece, bytes) else bytes(piece))
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Waits until all is done."""
        self._queue.put(None)
        self._thread.join()

    def check(self) -> None:
        """Raises what went wrong, after `close`."""
        if self._error is not None:
            raise self._error


class BlobReader:
    """The state between two pieces of one blob.

    What is wrong with it is told in the end, with the digests of all of it, because these say more; only what is
    larger than any layer raises `DamagedImage` at once. Messages call the layer `name`. With `pipeline` what is
    decompressed is hashed and walked on a thread of its own. Ends, however it ends, with `close`.
    """

    def __init__(self, request: Request, name: str, *, pipeline: bool = False) -> None:
        self._name = name
        self._layer = LayerWalk(request, name)
        self._limits = request.limits
        self._transfer = request.transfer
        self._head = b""
        self._decoder: Decoder | None = None
        self._sniffed = False
        self._stored = hashlib.sha256()
        self._pipeline = pipeline
        self._behind: Behind | None = None
        self._sink: Sink = self._layer
        self._error: DamagedImage | None = None
        """Why the blob cannot be decompressed, once that is known."""
        self.size = 0
        """Bytes that have come."""

    def feed(self, piece: Buffer) -> None:
        """Takes the next bytes."""
        self.size += len(piece)
        if not self._sniffed:
            self._head += bytes(piece)
            if len(self._head) < LONGEST_MAGIC:
                return
            piece = self._head
            self._sniff()
        self._pass(piece)

    def _sniff(self) -> None:
        """Tells by the first bytes what the blob is: what its media type says need not be true."""
        self._sniffed = True
        if (other := other_compression(self._head)) is not None:
            self._error = DamagedImage(f"{self._name} is compressed with {other}, which layers are not")
            return
        self._decoder = decoder_for(self._head, self._hand_on, self._limits, self._name)
        if self._decoder is None:
            if self._transfer:
                self._layer.measured = Measured()
        elif self._pipeline:
            self._sink = self._behind = Behind(self._layer)

    def _hand_on(self, piece: bytes) -> None:
        self._sink.write(piece)

    def _pass(self, piece: Buffer) -> None:
        if self._error is not None:
            self._stored.update(piece)
        elif self._decoder is not None:
            self._stored.update(piece)
            try:
                self._decoder.write(piece)
            except DamagedImage as error:
                self._error = error
        else:
            self._layer.write(piece)
            if self.size > self._limits.unpacked:
                raise too_large(self._name, self._limits)

    def finish(self) -> Walked | Unreadable:
        """The layer, once all bytes have come, or what is known of what is none."""
        if not self._sniffed and self._head:
            self._sniff()
            self._pass(self._head)
        try:
            if self._error is not None:
                raise self._error
            if self._decoder is not None:
                self._decoder.close()
        except DamagedImage as error:
            digest = Digest.parse(f"sha256:{self._stored.hexdigest()}")
            return Unreadable(error=error, diff_id=None, digest=digest, transfer=self.size)
        if self._behind is not None:
            behind, self._behind = self._behind, None
            behind.close()
            behind.check()
        diff_id = self._layer.diff_id
        stored = str(diff_id) if self._decoder is None else f"sha256:{self._stored.hexdigest()}"
        try:
            walked = self._layer.close()
        except DamagedImage as error:
            return Unreadable(error=error, diff_id=diff_id, digest=Digest.parse(stored), transfer=self.size)
        estimated = None
        if self._transfer:
            measured = self._layer.measured
            estimated = self.size if measured is None else measured.finish()
            self.close()
        return replace(walked, digest=Digest.parse(stored), transfer=self.size, estimated=estimated)

    def close(self) -> None:
        """Ends the threads, if there are any."""
        if self._layer.measured is not None:
            self._layer.measured.close()
        if self._behind is not None:
            self._behind.close()
            self._behind = None


def read_blob(
    blob: Blob, request: Request, name: str, *, stopped: Callable[[], bool], pipeline: bool = False
) -> Walked | Unreadable:
    """The layer in `blob`, whose digest and size are what its manifest says, or what is known of what is none.

    Raises `DamagedImage`, naming it by `name`, when they are not, and `Interrupted` soon after `stopped` says so.
    """
    reader = BlobReader(request, name, pipeline=pipeline)
    try:
        with blob.open() as pieces:
            for piece in pieces:
                if stopped():
                    raise Interrupted
                reader.feed(piece)
                if blob.transfer is not None and reader.size > blob.transfer:
                    raise DamagedImage(
                        f"{name} should have {blob.transfer} bytes by its manifest, and goes on after them"
                    )
        if blob.transfer is not None and reader.size < blob.transfer:
            raise DamagedImage(
                f"{name} should have {blob.transfer} bytes by its manifest, and ends after {reader.size}"
            )
        found = reader.finish()
    finally:
        reader.close()
    check_digest(found, blob.digest, blob.said_by, name)
    return found


def check_digest(found: Walked | Unreadable, digest: Digest | None, said_by: str, name: str) -> None:
    """Raises `DamagedImage`, naming both sides, unless the blob has the digest that is said of it."""
    if digest is not None and found.digest != digest:
        raise DamagedImage(
            f"{name}: {said_by} says {digest}, and the {found.transfer} bytes that were read have {found.digest}",
            hint=CHANGED,
        )
